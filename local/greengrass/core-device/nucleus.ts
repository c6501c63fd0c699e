import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import type {
  ComponentState,
  DeploymentStatusReport,
  DeviceApi,
  DeviceDeployment,
  DeviceStatusReport,
} from '../device-api.ts';
import type { ComponentDetails, IpcHost, IpcServer, Nucleus } from '../ipc/start-ipc.ts';
import { ArtifactError, ArtifactStore } from './artifacts.ts';
import { changedPaths, type JsonObject, mergeAt, resolveConfiguration } from './configuration.ts';
import { type DeviceState, type Installed, loadState, saveState } from './device-state.ts';
import { ManagedComponent } from './managed-component.ts';
import type { ProcessGuard } from './process-guard.ts';
import { artifactsOf, interpolate, type Lifecycle, lifecycleOf, type Places, Recipe, RecipeError } from './recipe.ts';

/** Versions whose behaviour is rehearsed. */
export const NUCLEUS_VERSION = { classic: '2.18.2', lite: '2.6.0' } as const;
const RUNTIME = { classic: 'aws_nucleus_classic', lite: 'aws_nucleus_lite' } as const;
/** What nucleus lite waits for one component within a deployment. */
const LITE_WAIT_MS = 300_000;
const RETRY_MS = 1_000;
/** Supplied by AWS; on classic it is what gives a component credentials, and only as its dependency. */
const TOKEN_EXCHANGE = 'aws.greengrass.TokenExchangeService';
const POLL_MS = 20_000;
const STOP_LOOPS_MS = 2_000;
/** A changed state of components is told at most this often. */
const STATUS_PAUSE_MS = 200;

export interface NucleusOptions {
  readonly thingName: string;
  readonly root: string;
  readonly nucleus: Nucleus;
  readonly platform: Readonly<Record<string, string>>;
  readonly api: DeviceApi;
  readonly s3: S3Client;
  readonly guard: ProcessGuard;
  /** Environment of every component, besides its own token. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where components that may have AWS credentials get them. */
  readonly credentialsUrl: () => string;
  readonly log: (line: string) => void;
}

type Result =
  | 'SUCCESSFUL'
  | 'FAILED_NO_STATE_CHANGE'
  | 'FAILED_ROLLBACK_NOT_REQUESTED'
  | 'FAILED_ROLLBACK_COMPLETE'
  | 'FAILED_UNABLE_TO_ROLLBACK';

const reasonOf = (result: Result, detail: string): string =>
  `${result}${detail === '' ? '' : `: ${detail}`}`.slice(0, 1000);

/** The simulated nucleus: what is installed, what runs, and how a deployment changes it. */
export class SimulatedNucleus {
  private readonly options: NucleusOptions;
  private readonly store: ArtifactStore;
  private state: DeviceState;
  private readonly alive = new Map<string, ManagedComponent>();
  private readonly tokens = new Map<string, string>();
  private readonly watchers = new Set<{ component: string; listener: (keyPath: readonly string[]) => void }>();
  private ipc: IpcServer | undefined;
  private readonly ending = new AbortController();
  private statusDue: DeviceStatusReport['trigger'] | undefined = 'NUCLEUS_LAUNCH';
  private statusTimer: NodeJS.Timeout | undefined;
  private sendingStatus = false;
  private loops: Promise<void>[] = [];

  constructor(options: NucleusOptions) {
    this.options = options;
    this.store = new ArtifactStore(options.root);
    this.state = loadState(options.root);
  }

  /** What IPC needs from the nucleus, except the link to AWS IoT. */
  get ipcHost(): Omit<IpcHost, 'iot'> {
    return {
      nucleus: this.options.nucleus,
      componentOf: (token) => this.tokens.get(token),
      configurationOf: (name) => this.find(name)?.configuration,
      updateConfiguration: (name, keyPath, value, timestampMs) => this.configure(name, keyPath, value, timestampMs),
      watchConfiguration: (component, listener) => {
        const watcher = { component, listener };
        this.watchers.add(watcher);
        return () => this.watchers.delete(watcher);
      },
      reportState: (name, state) => this.alive.get(name)?.report(state),
      detailsOf: (name) => this.detailsOf(name),
      restart: (name) => void this.restart(name),
    };
  }

  /** Whether the component with this token gets AWS credentials. */
  mayHaveCredentials(token: string): boolean {
    const installed = this.find(this.tokens.get(token) ?? '');
    return installed !== undefined && this.hasCredentials(installed);
  }

  private hasCredentials(installed: Installed): boolean {
    if (this.options.nucleus === 'lite') return true;
    const seen = new Set<string>();
    const leads = (component: Installed | undefined): boolean => {
      if (component === undefined || seen.has(component.name)) return false;
      seen.add(component.name);
      return Object.keys(component.recipe.ComponentDependencies).some(
        (name) => name === TOKEN_EXCHANGE || leads(this.find(name)),
      );
    };
    return leads(installed);
  }

  /** Components as the control socket shows them. */
  get overview(): { name: string; version: string; state: ComponentState; detail: string; pids: number[] }[] {
    return this.state.components.map(({ name, version }) => {
      const component = this.alive.get(name);
      return {
        name,
        version,
        state: component?.state ?? 'NEW',
        detail: component?.detail ?? '',
        pids: component?.pids ?? [],
      };
    });
  }

  /** Starts what is installed, then takes deployments. */
  start(ipc: IpcServer): void {
    this.ipc = ipc;
    const all = new Set(this.state.components.map((c) => c.name));
    this.loops = [this.bringUp(all).then(() => this.takeDeployments()), this.sendStatusWhenDue()];
  }

  /** Network is back: tell the control plane how things are. */
  reconnected(): void {
    this.due('RECONNECT');
  }

  async stop(): Promise<void> {
    this.ending.abort();
    clearTimeout(this.statusTimer);
    for (const { name } of [...this.state.components].reverse()) await this.alive.get(name)?.stop();
    // A component that defers an update may keep a deployment waiting for long; it is taken up at the next start.
    await Promise.race([Promise.all(this.loops), sleep(STOP_LOOPS_MS)]);
  }

  private get stopped(): boolean {
    return this.ending.signal.aborted;
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.ending.signal }).catch(() => {});
  }

  private find(name: string): Installed | undefined {
    return this.state.components.find((c) => c.name === name);
  }

  private save(change: Partial<DeviceState>): void {
    this.state = { ...this.state, ...change };
    saveState(this.options.root, this.state);
  }

  // ---- configuration ------------------------------------------------------------------------------------------------

  private configure(name: string, keyPath: readonly string[], value: unknown, timestampMs: number): boolean {
    const installed = this.find(name);
    if (installed === undefined || timestampMs < installed.configuredAt) return false;
    this.setConfiguration(name, mergeAt(installed.configuration, keyPath, value), timestampMs);
    return true;
  }

  private setConfiguration(name: string, configuration: JsonObject, timestampMs: number): void {
    const before = this.find(name)?.configuration ?? {};
    this.save({
      components: this.state.components.map((c) =>
        c.name === name ? { ...c, configuration, configuredAt: timestampMs } : c,
      ),
    });
    this.announce(name, before, configuration);
  }

  private announce(name: string, before: JsonObject, after: JsonObject): void {
    const paths = changedPaths(before, after);
    for (const watcher of [...this.watchers])
      if (watcher.component === name) for (const path of paths) watcher.listener(path);
  }

  private detailsOf(name: string): ComponentDetails | undefined {
    const installed = this.find(name);
    if (installed === undefined) return undefined;
    const { version, configuration } = installed;
    return { componentName: name, version, state: this.alive.get(name)?.state ?? 'NEW', configuration };
  }

  // ---- components ---------------------------------------------------------------------------------------------------

  private placesOf(installed: Installed): Places {
    const { root, thingName } = this.options;
    return {
      configuration: installed.configuration,
      artifactsPath: this.store.artifactsPath(installed.name, installed.version),
      decompressedPath: this.store.decompressedPath(installed.name, installed.version),
      workPath: join(root, 'work', installed.name),
      rootPath: root,
      thingName,
    };
  }

  private lifecycleIn(installed: Installed, among: readonly Installed[]): Lifecycle {
    const { nucleus, platform } = this.options;
    const own = this.placesOf(installed);
    return lifecycleOf(installed.recipe, platform, nucleus, (text) =>
      interpolate(text, own, nucleus, (name) => {
        if (!Object.hasOwn(installed.recipe.ComponentDependencies, name)) return undefined;
        const other = among.find((c) => c.name === name);
        return other === undefined ? undefined : this.placesOf(other);
      }),
    );
  }

  private make(installed: Installed): ManagedComponent {
    const { root, nucleus, guard, environment, credentialsUrl } = this.options;
    const { name, version } = installed;
    for (const [token, owner] of this.tokens) if (owner === name) this.tokens.delete(token);
    const token = randomBytes(16).toString('hex');
    this.tokens.set(token, name);
    const logFile = join(root, 'logs', `${name}.log`);
    mkdirSync(dirname(logFile), { recursive: true });
    return new ManagedComponent({
      name,
      version,
      nucleus,
      lifecycle: this.lifecycleIn(installed, this.state.components),
      environment: {
        ...environment,
        SVCUID: token,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: token,
        ...(this.hasCredentials(installed) ? { AWS_CONTAINER_CREDENTIALS_FULL_URI: credentialsUrl() } : {}),
      },
      workDir: join(root, 'work', name),
      logFile,
      scriptDir: join(root, 'scripts'),
      guard,
      install: nucleus === 'classic' || !installed.installed,
      onState: (state, detail) => this.stateChanged(name, state, detail),
    });
  }

  private stateChanged(name: string, state: ComponentState, detail: string): void {
    this.options.log(`${name}: ${state}${detail === '' ? '' : ` (${detail})`}`);
    if (state === 'STARTING' || state === 'RUNNING' || state === 'FINISHED') {
      const installed = this.find(name);
      if (installed?.installed === false)
        this.save({ components: this.state.components.map((c) => (c.name === name ? { ...c, installed: true } : c)) });
    }
    // As on a real device, only trouble is told outside of deployments; a component that recovers is told with it.
    if (this.state.underway === null && ['ERRORED', 'BROKEN', 'RUNNING'].includes(state))
      this.due('COMPONENT_STATUS_CHANGE');
    if (state === 'ERRORED' && this.options.nucleus === 'classic') void this.restartDependents(name);
  }

  /** Hard dependents go down with what they stand on, and come back with it. */
  private async restartDependents(name: string): Promise<void> {
    for (const dependent of this.hardDependentsOf(new Set([name])))
      if (dependent !== name && this.alive.get(dependent)?.state === 'RUNNING') await this.restart(dependent);
  }

  private async restart(name: string): Promise<void> {
    await this.alive.get(name)?.stop();
    if (!this.stopped) await this.bringUp(new Set([name]));
  }

  private hardDependentsOf(names: ReadonlySet<string>): Set<string> {
    const out = new Set(names);
    for (const { name, recipe } of this.state.components)
      for (const [dependency, { DependencyType }] of Object.entries(recipe.ComponentDependencies))
        if (DependencyType === 'HARD' && out.has(dependency)) out.add(name);
    return out;
  }

  /** Starts components, each when what it hard-depends on runs. Resolves once all were begun. */
  private async bringUp(names: ReadonlySet<string>): Promise<void> {
    for (const installed of this.state.components) {
      if (!names.has(installed.name)) continue;
      try {
        this.alive.set(installed.name, this.make(installed));
      } catch (error) {
        this.options.log(`${installed.name}: ${(error as Error).message}`);
      }
    }
    for (const { name, recipe } of this.state.components) {
      if (!names.has(name)) continue;
      const component = this.alive.get(name);
      if (component === undefined) continue;
      const hard = Object.entries(recipe.ComponentDependencies)
        .filter(([, { DependencyType }]) => DependencyType === 'HARD')
        .flatMap(([dependency]) => this.alive.get(dependency) ?? []);
      void Promise.all(hard.map((dependency) => dependency.settled())).then((states) => {
        if (!this.stopped && !states.includes('BROKEN') && this.alive.get(name) === component) component.start();
      });
    }
  }

  // ---- status -------------------------------------------------------------------------------------------------------

  private due(trigger: DeviceStatusReport['trigger']): void {
    this.statusDue = trigger;
    this.statusTimer ??= setTimeout(() => {
      this.statusTimer = undefined;
      void this.sendStatusWhenDue();
    }, STATUS_PAUSE_MS);
  }

  private async sendStatusWhenDue(): Promise<void> {
    if (this.sendingStatus) return;
    this.sendingStatus = true;
    try {
      while (this.statusDue !== undefined && !this.stopped) {
        const trigger = this.statusDue;
        this.statusDue = undefined;
        try {
          await this.options.api.reportStatus(this.status(trigger));
        } catch (error) {
          this.statusDue ??= trigger;
          this.options.log(`status not told: ${(error as Error).message}`);
          await this.pause(RETRY_MS);
        }
      }
    } finally {
      this.sendingStatus = false;
    }
  }

  private status(trigger: DeviceStatusReport['trigger']): DeviceStatusReport {
    const { nucleus, platform } = this.options;
    const components = this.state.components.map(({ name, version, isRoot }) => {
      const component = this.alive.get(name);
      const details = component?.detail ?? '';
      return {
        name,
        version,
        isRoot,
        state: component?.state ?? ('NEW' as const),
        ...(details === '' ? {} : { details: details.slice(0, 1000) }),
      };
    });
    return {
      sentAt: Date.now(),
      trigger,
      status: components.some((c) => c.state === 'BROKEN') ? 'UNHEALTHY' : 'HEALTHY',
      coreVersion: NUCLEUS_VERSION[nucleus],
      platform: platform.os ?? 'linux',
      architecture: platform.architecture ?? '',
      runtime: RUNTIME[nucleus],
      components,
    };
  }

  // ---- deployments --------------------------------------------------------------------------------------------------

  private async takeDeployments(): Promise<void> {
    const { api, nucleus, platform, log } = this.options;
    let unreachable = false;
    while (!this.stopped) {
      try {
        if (this.state.finished !== null) {
          await api.reportDeployment(this.state.finished.deploymentId, this.state.finished.report);
          this.save({ finished: null });
        }
        const deployment = await api.nextDeployment(
          { waitMs: POLL_MS, platform: { ...platform }, runtime: RUNTIME[nucleus] },
          this.ending.signal,
        );
        unreachable = false;
        if (deployment !== null) await this.deploy(deployment);
      } catch (error) {
        if (this.stopped) return;
        if (!unreachable) log((error as Error).message);
        unreachable = true;
        await this.pause(RETRY_MS);
      }
    }
  }

  private async deploy(deployment: DeviceDeployment): Promise<void> {
    const { api, log } = this.options;
    const { deploymentId } = deployment;
    log(`deployment ${deploymentId}: begins`);
    await api.reportDeployment(deploymentId, { status: 'IN_PROGRESS', reason: '' });
    const report = await this.change(deployment);
    if (this.stopped) return;
    log(`deployment ${deploymentId}: ${report.status} ${report.reason}`);
    this.save({ underway: null, finished: { deploymentId, report } });
    this.due(deployment.targetArn.includes(':thinggroup/') ? 'THING_GROUP_DEPLOYMENT' : 'THING_DEPLOYMENT');
    await this.sendStatusWhenDue();
  }

  private plan(deployment: DeviceDeployment): Installed[] {
    return deployment.components.map((resolved) => {
      const recipe = Recipe.parse(resolved.recipe);
      const before = this.find(resolved.name);
      return {
        name: resolved.name,
        version: resolved.version,
        isRoot: resolved.isRoot,
        recipe,
        configuration: resolveConfiguration(
          before?.configuration,
          recipe.ComponentConfiguration?.DefaultConfiguration ?? {},
          deployment.rootComponents[resolved.name]?.configurationUpdates ?? [],
        ),
        configuredAt: Math.max(before?.configuredAt ?? 0, deployment.creationTimestamp),
        installed: before?.version === resolved.version && before.installed,
      };
    });
  }

  private async fetchArtifacts(components: readonly Installed[]): Promise<void> {
    const { nucleus, platform, s3, log } = this.options;
    for (const { name, version, recipe } of components) {
      const plans = artifactsOf(recipe, platform, nucleus);
      if (this.find(name)?.version === version) continue;
      for (;;) {
        try {
          await this.store.ensure(name, version, plans, s3);
          break;
        } catch (error) {
          if (error instanceof ArtifactError || this.stopped) throw error;
          log(`artifacts of ${name} ${version}: ${(error as Error).message}; trying again`);
          await this.pause(RETRY_MS);
        }
      }
    }
  }

  /** Components that must stop: gone, of another version, lifecycle or (lite) configuration; and their hard dependents. */
  private touchedBy(next: readonly Installed[]): { stop: Set<string>; start: Set<string> } {
    const { nucleus } = this.options;
    const stop = new Set<string>();
    for (const before of this.state.components) {
      const after = next.find((c) => c.name === before.name);
      const same =
        after !== undefined &&
        after.version === before.version &&
        JSON.stringify(this.setenvAndSteps(after, next)) ===
          JSON.stringify(this.setenvAndSteps(before, this.state.components)) &&
        (nucleus === 'classic' || JSON.stringify(after.configuration) === JSON.stringify(before.configuration)) &&
        this.alive.get(before.name)?.state !== 'BROKEN' &&
        this.alive.has(before.name);
      if (!same) stop.add(before.name);
    }
    const down = this.hardDependentsOf(stop);
    const start = new Set(next.filter((c) => down.has(c.name) || this.find(c.name) === undefined).map((c) => c.name));
    return { stop: down, start };
  }

  private setenvAndSteps(installed: Installed, among: readonly Installed[]): unknown {
    // A step whose text only changes through the configuration does not restart a classic component; setenv does.
    const { nucleus, platform } = this.options;
    return [
      this.lifecycleIn(installed, among).setenv,
      lifecycleOf(installed.recipe, platform, nucleus, (text) => text),
    ];
  }

  private async change(deployment: DeviceDeployment): Promise<DeploymentStatusReport> {
    const { nucleus, log } = this.options;
    const { deploymentId } = deployment;
    // Also of another deployment: its end never came, so what was before it is still the last that was good.
    const interrupted = this.state.underway;
    let next: Installed[];
    try {
      next = this.plan(deployment);
      for (const installed of next) this.lifecycleIn(installed, next);
      await this.fetchArtifacts(next);
    } catch (error) {
      return failure('FAILED_NO_STATE_CHANGE', error as Error);
    }
    if (this.stopped) return failure('FAILED_NO_STATE_CHANGE', new Error('the device is stopping'));

    const { timeoutInSeconds, action } = deployment.componentUpdatePolicy;
    const touched = this.touchedBy(next);
    if (action === 'NOTIFY_COMPONENTS' && touched.stop.size > 0)
      await this.ipc?.askForUpdate(deploymentId, timeoutInSeconds * 1000);

    if (this.stopped) return failure('FAILED_NO_STATE_CHANGE', new Error('the device is stopping'));
    const before = interrupted?.before ?? this.state.components;
    this.save({ underway: { deploymentId, before } });
    const problem = await this.become(
      next,
      touched,
      interrupted === null ? touched.start : new Set(next.map((c) => c.name)),
    );
    if (action === 'NOTIFY_COMPONENTS') this.ipc?.announceUpdated(deploymentId);
    if (problem === undefined) {
      const keep = new Set(next.map((c) => `${c.name} ${c.version}`));
      // Classic keeps the version before; lite has none to go back to.
      if (nucleus === 'classic') for (const c of before) keep.add(`${c.name} ${c.version}`);
      await this.store.prune(keep);
      return { status: 'SUCCEEDED', reason: reasonOf('SUCCESSFUL', '') };
    }
    if (this.stopped) return failure('FAILED_NO_STATE_CHANGE', problem);
    if (nucleus === 'lite' || deployment.failureHandlingPolicy === 'DO_NOTHING')
      return failure('FAILED_ROLLBACK_NOT_REQUESTED', problem);

    log(`deployment ${deploymentId}: ${problem.message}; rolling back`);
    const back = this.touchedBy(before);
    const stuck = await this.become(before, back, back.start);
    return stuck === undefined
      ? failure('FAILED_ROLLBACK_COMPLETE', problem)
      : failure('FAILED_UNABLE_TO_ROLLBACK', new Error(`${problem.message}; and ${stuck.message}`));
  }

  /** Makes the device be `next`. @returns what went wrong, if something did. */
  private async become(
    next: readonly Installed[],
    touched: { readonly stop: ReadonlySet<string>; readonly start: ReadonlySet<string> },
    waitFor: ReadonlySet<string>,
  ): Promise<Error | undefined> {
    for (const { name } of [...this.state.components].reverse()) {
      if (!touched.stop.has(name)) continue;
      await this.alive.get(name)?.stop();
      this.alive.delete(name);
    }
    const before = this.state.components;
    this.save({ components: [...next] });
    for (const c of next)
      this.announce(c.name, before.find((b) => b.name === c.name)?.configuration ?? {}, c.configuration);
    for (const [token, owner] of this.tokens) if (this.find(owner) === undefined) this.tokens.delete(token);
    await this.bringUp(touched.start);
    return this.allRun(waitFor);
  }

  private async allRun(names: ReadonlySet<string>): Promise<Error | undefined> {
    const broken = (name: string): Error => {
      const component = this.alive.get(name);
      return new Error(
        `component ${name} ${component?.version ?? ''} is BROKEN: ${component?.detail ?? 'it cannot be started'}`,
      );
    };
    const limit = this.options.nucleus === 'lite' ? LITE_WAIT_MS : undefined;
    const timer = new AbortController();
    const waits = [...names].map(async (name) => {
      const component = this.alive.get(name);
      if (component === undefined || (await component.settled()) === 'BROKEN') throw broken(name);
    });
    // Ends at the first broken one: what hard-depends on it would never begin.
    const all = Promise.all(waits).then(
      () => undefined,
      (error: Error) => error,
    );
    const ended = new Promise<Error>((resolve) =>
      this.ending.signal.addEventListener('abort', () => resolve(new Error('the device is stopping')), { once: true }),
    );
    const late =
      limit === undefined
        ? []
        : [
            sleep(limit, new Error(`not all components ran within ${limit} ms`), { signal: timer.signal }).catch(
              () => undefined,
            ),
          ];
    const result = await Promise.race([all, ended, ...late]);
    timer.abort();
    return result;
  }
}

const failure = (result: Result, error: Error): DeploymentStatusReport => ({
  status: 'FAILED',
  reason: reasonOf(result, error.message),
  errorStack: ['DEPLOYMENT_FAILURE', errorCodeOf(error)],
  errorTypes: [
    error instanceof ArtifactError || error instanceof RecipeError ? 'COMPONENT_RECIPE_ERROR' : 'COMPONENT_ERROR',
  ],
});

const errorCodeOf = (error: Error): string => {
  if (error instanceof ArtifactError) return 'ARTIFACT_DOWNLOAD_ERROR';
  if (error instanceof RecipeError) return 'COMPONENT_RECIPE_PARSE_ERROR';
  return 'COMPONENT_BROKEN';
};
