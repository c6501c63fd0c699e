import { existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetComponentCommand,
  ListComponentVersionsCommand,
  ListEffectiveDeploymentsCommand,
} from '@aws-sdk/client-greengrassv2';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { type DecisionRecord, decisionsPrefix } from '#core/contracts/decision.ts';
import { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { LOCAL_PLANT_FILE, type LocalPlant } from '#core/contracts/local-plant.ts';
import { platformNames } from '#core/contracts/names.ts';
import { modelComponentName, type ReleaseRequest, thingName } from '#core/contracts/release.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import type { LiveRun } from '#core/contracts/source.ts';
import { type Device, startCoreDevice } from '../greengrass/core-device/start-core-device.ts';
import { uploadHistory } from '../plant/historian.ts';
import { type AnsweredFrame, laneName, type Machines, startMachines } from '../plant/machines.ts';
import { isAlive } from '../shared/service.ts';
import type { StartOptions } from './args.ts';
import { buildBundles, deployStacks } from './deploy.ts';
import { StartError } from './errors.ts';
import { type Clients, clientsOf, REGION, readPorts, type Services, startServices, writeWhole } from './plant.ts';
import { assertOneDigest, readDecisions, rulErrors } from './proof.ts';
import { type RegistryView, registryView } from './registry.ts';
import { runCommand } from './run-command.ts';
import { chooseDefinition, discoverDefinitions, openSource, type Played } from './source.ts';
import type { Story } from './story.ts';
import { followRelease, followRetrain, pause, until } from './watch.ts';

const STAGE = 'local';
const DISK_GIB = 3;
/** Below this the plant stops while it can still save itself whole. */
const FULL_MIB = 256;
/** While a model is trained the machines leave it the processors. */
const SLOW_MS = 1000;
const BRISK_MS = 100;
const STEADY_MS = 1000;

export interface PassDeps {
  readonly root: string;
  readonly stateDir: string;
  readonly options: StartOptions;
  readonly story: Story;
  readonly signal: AbortSignal;
  readonly now: () => string;
}

interface DevicePlan {
  readonly device: string;
  readonly thing: string;
  readonly ring: number;
  readonly deviceClass: string;
  readonly nucleus: 'classic' | 'lite';
  readonly root: string;
}

const freeBytesOf = (folder: string): number => {
  const s = statfsSync(folder);
  return s.bavail * s.bsize;
};

/** @throws {StartError} when the disk under a running plant is all but full. */
export const checkDiskLeft = (folder: string, freeBytes = freeBytesOf(folder)): void => {
  if (freeBytes < FULL_MIB * 2 ** 20)
    throw new StartError(
      `the disk is full: ${(freeBytes / 2 ** 20).toFixed(0)} MiB are left on the disk of ${folder}`,
      'free some space, then start again: the plant goes on where it was',
    );
};

/** @throws {StartError} when less than 3 GiB are free where state is kept. */
export const checkDisk = (folder: string, freeBytes = freeBytesOf(folder)): void => {
  if (freeBytes < DISK_GIB * 2 ** 30)
    throw new StartError(
      `only ${(freeBytes / 2 ** 30).toFixed(1)} GiB are free on the disk of ${folder}; the local plant needs ${DISK_GIB}`,
      'free some space, or choose another disk with --state-dir',
    );
};

/** Devices of the site: the first is the bench (ring 0), the last ring takes all further ones; the third is lite. */
export const planDevices = (config: DeploymentConfig, site: string, count: number, stateDir: string): DevicePlan[] => {
  const rings = config.sites.find((s) => s.id === site)?.rings ?? [];
  return Array.from({ length: count }, (_, i) => {
    const ring = rings[Math.min(i, rings.length - 1)];
    if (ring === undefined) throw new StartError(`site ${site} has no rings`, 'give it some in config/local.json');
    const device = `edge-${i + 1}`;
    return {
      device,
      thing: thingName(STAGE, site, device),
      ring: ring.ring,
      deviceClass: ring.deviceClass,
      nucleus: i === 2 ? ('lite' as const) : ('classic' as const),
      root: join(stateDir, 'devices', device),
    };
  });
};

/** A device with the way to start it again, as its own power button does. */
interface Plugged {
  readonly id: string;
  device: Device;
  readonly again: () => Promise<Device>;
  comebacks: number;
}
const COMEBACKS = 3;

/** The whole pass, from an empty folder to decisions on devices; and everything it started, to be stopped again. */
export class Pass {
  private readonly deps: PassDeps;
  private services: Services | null = null;
  private machines: Machines | null = null;
  private readonly devices: Plugged[] = [];
  private plant: LocalPlant | null = null;
  private lastAnswers = new Map<string, AnsweredFrame>();
  private firstByModel: AnsweredFrame | null = null;
  private waiting: ((answer: AnsweredFrame) => void) | null = null;
  readonly summary: (readonly [string, string])[] = [];
  /** A decision of the model, to try commands with. */
  sampleDecision: string | null = null;

  constructor(deps: PassDeps) {
    this.deps = deps;
  }

  /** Stops what was started, last first; each even if another fails. */
  async stop(): Promise<void> {
    const { services } = this;
    this.services = null;
    const quietly = async (what: Promise<unknown> | undefined): Promise<void> => {
      try {
        await what;
      } catch (error) {
        this.deps.story.line(`  ! while stopping: ${(error as Error).message}`);
      }
    };
    await Promise.all(this.devices.splice(0).map(({ device }) => quietly(device.stop())));
    await quietly(this.machines?.close());
    this.machines = null;
    await Promise.all([quietly(services?.greengrass.stop()), quietly(services?.sagemaker.stop())]);
    await quietly(services?.aws.stop());
    rmSync(join(this.deps.stateDir, LOCAL_PLANT_FILE), { force: true });
  }

  /**
   * Looks once whether all that was started still runs. A device that ended is started again: it goes on where it was.
   * @throws {StartError} for a service, without which nothing can go on, for a device that ends again and again, and
   * for a disk that is full.
   */
  async look(): Promise<void> {
    const { stateDir, story } = this.deps;
    checkDiskLeft(stateDir);
    const services = [this.services?.aws, this.services?.sagemaker, this.services?.greengrass];
    const dead = services.flatMap((s) => (s === undefined || isAlive(s.pid) ? [] : [s.name]));
    if (dead.length > 0)
      throw new StartError(
        `${dead.join(', ')} ended although nobody stopped it`,
        'read its log; start again: the plant goes on where it was',
        join(stateDir, 'logs', `${dead[0]}.log`),
      );
    for (const plugged of this.devices) {
      if (isAlive(plugged.device.pid)) continue;
      if (plugged.comebacks >= COMEBACKS)
        throw new StartError(
          `${plugged.id} ended ${COMEBACKS + 1} times although nobody stopped it`,
          'read its log; start again: the plant goes on where it was',
          join(plugged.device.root, 'logs'),
        );
      plugged.comebacks++;
      story.line(`  ${story.paint('yellow', '!')} ${plugged.id} ended although nobody stopped it; it is started again`);
      // Its guard may still be ending what the device had started.
      await plugged.device.stop();
      plugged.device = await plugged.again();
      this.notePids();
    }
  }

  private notePids(): void {
    if (this.plant === null) return;
    const pids = new Map(this.devices.map(({ id, device }) => [id, device.pid]));
    this.plant = { ...this.plant, devices: this.plant.devices.map((d) => ({ ...d, pid: pids.get(d.device) ?? null })) };
    this.writePlant();
  }

  machineStats() {
    return this.machines?.stats() ?? [];
  }

  async run(): Promise<void> {
    const { root, stateDir, options, story, signal } = this.deps;
    mkdirSync(stateDir, { recursive: true });
    checkDisk(stateDir);
    const config = parseAs(
      DeploymentConfig,
      JSON.parse(readFileSync(join(root, 'config', 'local.json'), 'utf8')),
      'config/local.json',
    );
    const site = config.sites[0]?.id as string;
    const names = platformNames(config);
    const played = openSource(chooseDefinition(await discoverDefinitions(root), options.data), {
      site,
      seed: options.seed,
      data: options.data,
    });
    const modelLine = `${played.useCase.id}/${site}`;
    this.checkMachines(modelLine, played.identity);

    const ports = await readPorts(stateDir);
    const where = { root, stateDir, signal, story };
    const building = story.step('bundles', async () => [await buildBundles(where), null]);
    const starting = story.step('local AWS', async () => {
      this.services = await startServices(stateDir, root, ports);
      return [`${this.services.endpoints.aws} with IAM, SageMaker, Greengrass, MQTT`, this.services];
    });
    const [, services] = await bothOrFirstError(building, starting);
    const clients = clientsOf(services.endpoints);
    const registry = registryView(clients.db, names.registry.name);
    const plan = planDevices(config, site, options.devices, stateDir);
    this.plant = {
      schema: 'local-plant/1',
      stage: STAGE,
      site,
      region: REGION,
      account: config.planes.plant.account,
      pid: process.pid,
      startedAt: this.deps.now(),
      endpoints: services.endpoints,
      services: [services.aws, services.sagemaker, services.greengrass].map((s) => ({
        name: s.name,
        pid: s.pid,
        log: join(stateDir, 'logs', `${s.name}.log`),
      })),
      modelLine,
      data: options.data,
      seed: options.seed,
      devices: plan.map((d) => ({ ...d, pid: null })),
    };
    this.writePlant();

    await story.step('stacks', async () => [await deployStacks(where, services.endpoints.aws), null]);
    await story.step('publish', async () => {
      const told = await this.cli<{
        useCases: { status: string }[];
        components: { component: string; version: string; status: string }[];
      }>('publish', 'publish');
      const changed = [...told.useCases, ...told.components].filter((x) => x.status === 'published').length;
      return [
        `${told.useCases.length} use cases, ${told.components.length} components${changed === 0 ? ', unchanged' : `, ${changed} new`}`,
        null,
      ];
    });

    const lanes = played.source.live(options.devices);
    const lap = this.nextLap();
    await story.step('devices', async () => [
      await this.startDevices(plan, lanes, lap, names, modelLine, clients),
      null,
    ]);
    await story.step('history', async () => [await this.uploadHistory(played, clients, names, registry, site), null]);

    const champion = await this.champion(registry, modelLine);
    if (champion !== null) await this.bringBack(champion, registry, clients, names, modelLine);
    const packageDigest =
      champion === null || options.retrain
        ? await this.trainAndRelease(registry, clients, names, modelLine, champion === null)
        : champion.packageDigest;
    if (champion !== null && !options.retrain)
      await story.step('champion', async () => [`${short(packageDigest)} serves since an earlier start`, null]);
    this.summary.push(['package', packageDigest]);

    // Brisk, and latencies counted from here: before, devices were starting.
    this.machines?.setPace(BRISK_MS);
    const first = await story.step('decision of the model', async () => {
      const answer = await this.modelDecision(packageDigest, clients, names, site);
      return [
        `${answer.device}: ${answer.verdict}, ${answer.value?.toFixed(1)} ${played.useCase.label.unit} left (${answer.variant})`,
        answer,
      ];
    });
    this.sampleDecision = first.id;
    await story.step('decisions in the lake', async () => {
      const n = await this.decisionsRecorded(registry, first, packageDigest, options.decisions);
      return [`${n} by this package, proved by Merkle root and registered`, null];
    });
    await story.step('lineage', async () => [
      await this.checkLineage(first, packageDigest, modelLine, registry, clients),
      null,
    ]);
    if (options.data !== null)
      await story.step('replay', async () => [
        await this.replay(played, lanes, clients, names, site, packageDigest),
        null,
      ]);
    const latencies = this.machineStats();
    const p99 = Math.max(...latencies.map((m) => m.latencyP99Ms ?? 0));
    this.summary.push(['answer to the line', `p99 ${p99.toFixed(0)} ms`]);
    if (options.data === null || !options.once) {
      void this.machines?.play(this.nextLap(), { repeat: true });
      this.machines?.setPace(STEADY_MS);
    }
  }

  private checkMachines(modelLine: string, identity: string): void {
    const file = join(this.deps.stateDir, 'seeds.json');
    const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, number | string>) : {};
    const before = known[modelLine];
    // A bare number is a seed: plants of earlier versions.
    const was = typeof before === 'number' ? `seed ${before}` : before;
    if (was !== undefined && was !== identity)
      throw new StartError(
        `this plant holds the history of ${was} for ${modelLine}; ${identity} would be other machines under the same names`,
        `${was.startsWith('seed') ? `use --${was}` : 'give the same files'}, or begin anew with --fresh, or give another --state-dir`,
      );
    writeWhole(file, JSON.stringify({ ...known, [modelLine]: identity }));
  }

  /** Number of a play of the machines, rising over all starts: a frame is never mistaken for an earlier one. */
  private nextLap(): number {
    const file = join(this.deps.stateDir, 'lap');
    const lap = (existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0) + 1;
    writeWhole(file, String(lap));
    return lap;
  }

  private writePlant(): void {
    writeWhole(join(this.deps.stateDir, LOCAL_PLANT_FILE), JSON.stringify(this.plant, null, 2));
  }

  private async cli<T>(name: string, ...args: readonly string[]): Promise<T> {
    const { root, stateDir, signal } = this.deps;
    const out = await runCommand({
      name: `cli-${name}`,
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        join(root, 'cli', 'millwright.ts'),
        ...args,
        '--json',
        '--stage',
        STAGE,
        '--plant-dir',
        stateDir,
      ],
      cwd: root,
      stateDir,
      signal,
    });
    return JSON.parse(out) as T;
  }

  private onAnswer = (answer: AnsweredFrame): void => {
    this.lastAnswers.set(answer.machine, answer);
    if (answer.value !== null && answer.verdict !== 'fallback') {
      this.firstByModel ??= answer;
      this.waiting?.(answer);
    }
  };

  private async startDevices(
    plan: readonly DevicePlan[],
    lanes: readonly (readonly LiveRun[])[],
    lap: number,
    names: ReturnType<typeof platformNames>,
    modelLine: string,
    clients: Clients,
  ): Promise<string> {
    const { stateDir, signal } = this.deps;
    const { services } = this;
    if (services === null) throw new Error('devices start after the services');
    const portsFile = join(stateDir, 'machine-ports.json');
    const ports = existsSync(portsFile) ? (JSON.parse(readFileSync(portsFile, 'utf8')) as number[]) : [];
    this.machines = await startMachines(
      lanes.map((runs, i) => ({
        machine: laneName(runs, i + 1),
        runs,
        ...(ports[i] === undefined ? {} : { port: ports[i] }),
      })),
      { paceMs: SLOW_MS, onAnswer: this.onAnswer },
    );
    const { endpoints } = this.machines;
    writeWhole(portsFile, JSON.stringify(endpoints.map((e) => e.port)));
    const planFile = join(stateDir, 'devices.json');
    writeFileSync(
      planFile,
      JSON.stringify({
        devices: plan.map((d, i) => ({
          device: d.device,
          ring: d.ring,
          deviceClass: d.deviceClass,
          machines: [{ asset: endpoints[i]?.machine, host: endpoints[i]?.host, port: endpoints[i]?.port }],
        })),
      }),
    );
    const told = await this.cli<{ devices: { device: string; cert: string; key: string; ca: string }[] }>(
      'commission',
      'commission',
      planFile,
      '--out',
      join(stateDir, 'credentials'),
      '--model-line',
      modelLine,
    );
    const from = performance.now();
    const running = await Promise.allSettled(
      plan.map(async (d) => {
        const paths = told.devices.find((t) => t.device === d.device);
        if (paths === undefined) throw new Error(`${d.device} was not commissioned`);
        const again = () =>
          startCoreDevice({
            thingName: d.thing,
            root: d.root,
            controlPlaneUrl: services.endpoints.greengrass,
            awsUrl: services.endpoints.aws,
            mqtt: services.endpoints.mqtt,
            certPaths: { cert: paths.cert, key: paths.key, ca: paths.ca },
            nucleus: d.nucleus,
            roleArn: names.deviceRole.arn,
            region: REGION,
          });
        this.devices.push({ id: d.device, device: await again(), again, comebacks: 0 });
      }),
    );
    const failed = running.find((r) => r.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    this.notePids();
    void this.machines.play(lap, { repeat: true });
    await until(async () => (this.lastAnswers.size === plan.length ? true : null), {
      signal,
      seconds: 150,
      late: () => this.whyNoAnswer(plan, clients),
    });
    this.deps.story.part('device start to first decision', performance.now() - from, `slowest of ${plan.length}`);
    return `${plan.length} commissioned (${plan.filter((d) => d.nucleus === 'lite').length} lite), each answers its machine`;
  }

  private async whyNoAnswer(plan: readonly DevicePlan[], clients: Clients): Promise<StartError> {
    const answering = new Set(this.lastAnswers.keys());
    const names = this.machines?.endpoints.map((e) => e.machine) ?? [];
    const silent = plan.filter((_, i) => !answering.has(names[i] ?? ''));
    const reasons = await Promise.all(
      silent.map(async (d) => {
        try {
          const { effectiveDeployments = [] } = await clients.greengrass.send(
            new ListEffectiveDeploymentsCommand({ coreDeviceThingName: d.thing }),
          );
          const newest = effectiveDeployments[0];
          return `${d.device}: ${newest?.coreDeviceExecutionStatus ?? 'no deployment'}${newest?.reason ? `, ${newest.reason}` : ''}`;
        } catch (error) {
          return `${d.device}: ${(error as Error).message}`;
        }
      }),
    );
    return new StartError(
      `devices do not answer their machines: ${reasons.join('; ')}`,
      'read the logs of the device and of its components',
      silent[0] === undefined ? null : join(silent[0].root, 'logs'),
    );
  }

  private async uploadHistory(
    played: Played,
    clients: Clients,
    names: ReturnType<typeof platformNames>,
    registry: RegistryView,
    site: string,
  ): Promise<string> {
    const { story, signal, stateDir } = this.deps;
    const done = join(stateDir, `history-${played.useCase.id}.stamp`);
    if (existsSync(done)) return readFileSync(done, 'utf8').replace(', all registered', ', there already');
    const assets = new Set<string>();
    const source = {
      ...played.source,
      *history() {
        for (const run of played.source.history()) {
          assets.add(run.asset);
          yield run;
        }
      },
    };
    const sum = await uploadHistory(source, {
      s3: clients.s3,
      lambda: clients.lambda,
      lakeBucket: names.lakeBucket,
      plantEventsFunction: names.plantEvents.name,
      site,
      registered: new Set((await registry.bodies('raw-object')).map((r) => r.id)),
      onProgress: (p) => story.progress(`history: ${p.uploaded} runs uploaded`),
    });
    let count = 0;
    await until(
      async () => {
        const records = await registry.bodies('raw-object');
        count = records.filter((r) => assets.has(String(r['asset']))).length;
        story.progress(`history: ${count} of ${sum.runs} runs registered`);
        return count >= sum.runs ? true : null;
      },
      {
        signal,
        everyMs: 1000,
        seconds: 240,
        late: () =>
          new StartError(
            `${count} of ${sum.runs} uploaded runs were registered within 240 s`,
            'look for failures of register-upload in the log; its dead-letter queue keeps what failed',
            join(stateDir, 'logs', 'aws.log'),
          ),
      },
    );
    const told = `${sum.runs} runs, ${sum.frames} frames, ${sum.events} plant events, all registered`;
    writeWhole(done, told);
    return told;
  }

  private async champion(registry: RegistryView, modelLine: string): Promise<ModelLineRecord['champion']> {
    const body = await registry.body('model-line', modelLine);
    if (body === null)
      throw new StartError(`model line ${modelLine} is not in the registry`, 'this is a fault: publish made it');
    return parseAs(ModelLineRecord, body, `model line ${modelLine}`).champion;
  }

  /** A release that was cut off leaves its package on some devices: the champion goes to them again. */
  private async bringBack(
    champion: NonNullable<ModelLineRecord['champion']>,
    registry: RegistryView,
    clients: Clients,
    names: ReturnType<typeof platformNames>,
    modelLine: string,
  ): Promise<void> {
    const { story, signal, stateDir } = this.deps;
    const devices = await this.cli<{ device: string; serving: { packageDigest: string } | null }[]>(
      'devices',
      'devices',
    );
    const astray: string[] = [];
    for (const { device, serving } of devices) {
      if (serving === null || serving.packageDigest === champion.packageDigest) continue;
      const body = await registry.body('package', serving.packageDigest);
      if (body?.['modelLine'] === modelLine) astray.push(device);
    }
    if (astray.length === 0) return;
    await story.step('back to the champion', async () => {
      const releaseId = `back-${champion.releaseNumber}-${this.deps.now().replace(/\D/g, '').slice(0, 14)}`;
      const request: ReleaseRequest = {
        schema: 'release-request/1',
        releaseId,
        modelLine,
        site: modelLine.split('/')[1] as string,
        packageDigest: champion.packageDigest,
        packagePrefix: champion.packagePrefix,
        releaseNumber: champion.releaseNumber,
        requestedBy: 'local-plant',
        reason: `a release was cut off; ${astray.join(', ')} still served its package`,
        revert: true,
      };
      const stateMachineArn = names.release.arn;
      await clients.sfn.send(
        new StartExecutionCommand({ stateMachineArn, name: releaseId, input: JSON.stringify(request) }),
      );
      const log = join(stateDir, 'logs', 'aws.log');
      const deps = { sfn: clients.sfn, registry, story, log, stateMachineArn, releaseId };
      const release = await followRelease(deps, champion.packageDigest, 600, { signal });
      if (release.status !== 'released')
        throw new StartError(
          `release ${releaseId} was ${release.status}: ${release.reason}`,
          `look at each ring with "npx millwright explain ${releaseId}"`,
        );
      return [`${astray.join(', ')} served the package of a release that was cut off`, null];
    });
  }

  private async trainAndRelease(
    registry: RegistryView,
    clients: Clients,
    names: ReturnType<typeof platformNames>,
    modelLine: string,
    isFirst: boolean,
  ): Promise<string> {
    const { story, signal, stateDir } = this.deps;
    const log = join(stateDir, 'logs', 'aws.log');
    const deps = { sfn: clients.sfn, registry, story, log };
    const record = await story.step('training', async () => {
      const { requestId } = await this.cli<{ requestId: string }>(
        'retrain',
        'retrain',
        modelLine,
        '--cause',
        isFirst ? 'first' : 'person',
        '--reason',
        isFirst ? 'the first model of this plant' : 'asked for with --retrain',
      );
      const ended = await followRetrain(deps, requestId, 900, { signal });
      if (ended.status !== 'candidate' || ended.packageDigest === null)
        throw new StartError(
          `the retrain was ${ended.status} at ${ended.step}: ${ended.detail}`,
          `the champion, if there is one, goes on serving; look at it with "npx millwright explain ${requestId}"`,
          // What a job printed is in a log of its own.
          ['Train', 'Quantize'].includes(ended.step) ? join(stateDir, 'logs', 'sagemaker') : log,
        );
      return [`${short(ended.packageDigest)}: ${await rmseOf(registry, ended.packageDigest)}`, ended];
    });
    const digest = record.packageDigest as string;
    this.machines?.setPace(BRISK_MS);
    await story.step('release', async () => {
      const release = await followRelease({ ...deps, stateMachineArn: names.release.arn }, digest, 600, { signal });
      if (release.status !== 'released')
        throw new StartError(
          `release ${release.releaseId} was ${release.status}: ${release.reason}`,
          `look at each ring with "npx millwright explain ${release.releaseId}"`,
        );
      const adopted = release.waves.flatMap((w) => w.devices).filter((d) => d.status === 'adopted').length;
      return [
        `${release.componentName.replace('millwright.', '')} ${release.componentVersion}, ${release.waves.length} rings, ${adopted} devices`,
        null,
      ];
    });
    return digest;
  }

  private async decisionsOf(clients: Clients, names: ReturnType<typeof platformNames>, site: string, after: number) {
    const found: DecisionRecord[] = [];
    for (let token: string | undefined; ; ) {
      const page = await clients.s3.send(
        new ListObjectsV2Command({
          Bucket: names.lakeBucket,
          Prefix: decisionsPrefix(STAGE, site),
          ...(token ? { ContinuationToken: token } : {}),
        }),
      );
      const fresh = (page.Contents ?? []).filter((o) => (o.LastModified?.getTime() ?? 0) >= after - 1000);
      const texts = await Promise.all(
        fresh.map(async ({ Key }) => {
          const object = await clients.s3.send(new GetObjectCommand({ Bucket: names.lakeBucket, Key }));
          return readDecisions((await object.Body?.transformToString()) ?? '', Key ?? '');
        }),
      );
      found.push(...texts.flat());
      token = page.NextContinuationToken;
      if (token === undefined) return found;
    }
  }

  /** The first decision of this package on a device that reached the lake in this session. */
  private async modelDecision(
    packageDigest: string,
    clients: Clients,
    names: ReturnType<typeof platformNames>,
    site: string,
  ): Promise<DecisionRecord> {
    const { signal, stateDir } = this.deps;
    const since = Date.parse(this.plant?.startedAt ?? '');
    return until(
      async () => {
        if (this.firstByModel === null) return null;
        const decisions = await this.decisionsOf(clients, names, site, since);
        return decisions.find((d) => d.packageDigest === packageDigest && d.value !== null) ?? null;
      },
      {
        signal,
        everyMs: 1000,
        seconds: 90,
        late: () =>
          new StartError(
            `no decision of package ${packageDigest} reached the lake within 90 s; machines last heard: ${[...this.lastAnswers.values()].map((a) => `${a.machine} ${a.verdict}`).join(', ')}`,
            'look at "npx millwright devices", and at the logs of the devices',
            join(stateDir, 'devices'),
          ),
      },
    );
  }

  /** Waits until enough decisions of the package are registered, that of this session among them. */
  private async decisionsRecorded(
    registry: RegistryView,
    first: DecisionRecord,
    packageDigest: string,
    wanted: number,
  ): Promise<number> {
    const { signal, story, stateDir } = this.deps;
    let count = 0;
    await until(
      async () => {
        const objects = await registry.bodies('decision-object');
        count = objects
          .filter((o) => (o['packageDigests'] as string[] | undefined)?.includes(packageDigest))
          .reduce((sum, o) => sum + Number(o['count']), 0);
        const holdsFirst = objects.some(
          (o) =>
            o['device'] === first.device &&
            o['boot'] === first.boot &&
            Number(o['firstSequence']) <= first.sequence &&
            first.sequence <= Number(o['lastSequence']),
        );
        story.progress(
          count < wanted
            ? `decisions in the lake: ${count} of ${wanted}`
            : `decisions in the lake: ${count}, not yet ${first.id}`,
        );
        return count >= wanted && holdsFirst ? true : null;
      },
      {
        signal,
        everyMs: 1000,
        seconds: 180,
        late: () =>
          new StartError(
            `${count} of ${wanted} decisions were registered within 180 s`,
            'look for failures of record-decisions in the log; its dead-letter queue keeps what failed',
            join(stateDir, 'logs', 'aws.log'),
          ),
      },
    );
    return count;
  }

  private async checkLineage(
    decision: DecisionRecord,
    packageDigest: string,
    modelLine: string,
    registry: RegistryView,
    clients: Clients,
  ): Promise<string> {
    const answer = await this.cli<{
      packageDigest: string | null;
      counts: Record<string, number>;
      nodes: { node: string }[];
      truncated: boolean;
    }>('lineage', 'lineage', decision.id);
    const nodes = answer.nodes.map((n) => n.node);
    const job = nodes.find((n) => n.startsWith('training-run:'))?.slice('training-run:'.length);
    const training = job === undefined ? null : await registry.body('training-run', job);
    const devices = await this.cli<{ device: string; serving: { packageDigest: string } | null }[]>(
      'devices',
      'devices',
    );
    const account = this.plant?.account;
    const arn = `arn:aws:greengrass:${REGION}:${account}:components:${modelComponentName(modelLine)}`;
    const { componentVersions = [] } = await clients.greengrass.send(new ListComponentVersionsCommand({ arn }));
    const recipes = await Promise.all(
      componentVersions.map(async (v) => {
        const { recipe } = await clients.greengrass.send(
          new GetComponentCommand({ arn: v.arn as string, recipeOutputFormat: 'JSON' }),
        );
        return Buffer.from(recipe ?? []).toString('utf8');
      }),
    );
    assertOneDigest(packageDigest, [
      { where: 'the decision', digest: decision.packageDigest },
      { where: 'the lineage answer', digest: answer.packageDigest },
      { where: 'the training record', digest: (training?.['packageDigest'] as string | undefined) ?? null },
      {
        where: `the report of ${decision.device}`,
        digest: devices.find((d) => d.device === decision.device)?.serving?.packageDigest ?? null,
      },
      { where: 'the component version', digest: recipes.some((r) => r.includes(packageDigest)) ? packageDigest : null },
    ]);
    const raw = answer.counts['raw-object'] ?? 0;
    if (raw === 0 || answer.truncated)
      throw new StartError(
        `lineage of ${decision.id} leads to ${raw} raw objects${answer.truncated ? ' and was cut' : ''}`,
        'this is a fault of the platform: keep the state folder and tell its makers',
      );
    this.summary.push(['one digest on', 'training record, component, report, decision, lineage']);
    return `back to ${raw} raw objects; one digest in five places`;
  }

  private async replay(
    played: Played,
    lanes: readonly (readonly LiveRun[])[],
    clients: Clients,
    names: ReturnType<typeof platformNames>,
    site: string,
    packageDigest: string,
  ): Promise<string> {
    const { signal, story } = this.deps;
    const { machines } = this;
    if (machines === null) throw new Error('machines run during the replay');
    const runs = lanes.flat();
    const frames = runs.reduce((n, r) => n + r.frames.length, 0);
    const lap = this.nextLap();
    const from = performance.now();
    const before = machines.stats().reduce((n, m) => n + m.answered, 0);
    machines.setPace(0);
    let through = false;
    void machines.play(lap).then(() => {
      through = true;
    });
    let answered = 0;
    await until(
      async () => {
        const now = machines.stats().reduce((n, m) => n + m.answered, 0) - before;
        answered = now;
        story.progress(`replay: ${now} of ${frames} frames answered`);
        return through ? true : null;
      },
      {
        signal,
        everyMs: 500,
        seconds: 900,
        late: () =>
          new StartError(
            `${answered} of ${frames} frames were answered within 900 s`,
            'look at "npx millwright devices"',
          ),
      },
    );
    const rate = frames / ((performance.now() - from) / 1000);
    const since = Date.parse(this.plant?.startedAt ?? '');
    const judge = async () => {
      const decisions = await this.decisionsOf(clients, names, site, since);
      return rulErrors(
        runs,
        lap,
        decisions.filter((d) => d.packageDigest === packageDigest),
        played.useCase.label.cap,
      );
    };
    let errors = await judge();
    const known = runs.filter((r) => r.remainingAtEnd !== null).length;
    for (let i = 0; i < 30 && errors.missing.length > 0; i++) {
      await pause(1000, signal);
      errors = await judge();
    }
    const { unit, cap } = played.useCase.label;
    this.summary.push([
      `test RMSE, RUL capped at ${cap}`,
      `${errors.capped.toFixed(2)} ${unit}s over ${errors.assets} of ${known} engines`,
    ]);
    this.summary.push(['test RMSE, uncapped', `${errors.uncapped.toFixed(2)} ${unit}s`]);
    this.summary.push(['replay', `${frames} frames, ${rate.toFixed(0)} durable decisions a second`]);
    if (errors.missing.length > 0)
      throw new StartError(
        `the model did not decide at the last frame of ${errors.missing.length} of ${known} engines: ${errors.missing.slice(0, 8).join(', ')}`,
        'look at their decisions with "npx millwright explain"',
      );
    return `RMSE ${errors.capped.toFixed(2)} capped at ${cap}, ${errors.uncapped.toFixed(2)} uncapped, ${errors.assets} engines`;
  }
}

/** What the variants of a package reached on sealed runs. */
const rmseOf = async (registry: RegistryView, packageDigest: string): Promise<string> => {
  const variants = (await registry.body('package', packageDigest))?.['variants'] as
    | readonly { name: string; testRmse: number; admitted: boolean }[]
    | undefined;
  return (variants ?? [])
    .map((v) => `RMSE ${v.testRmse.toFixed(2)} ${v.name}${v.admitted ? '' : ' (not admitted)'}`)
    .join(', ')
    .concat(' on sealed runs');
};

const short = (digest: string): string => digest.replace('sha256:', '').slice(0, 12);

/** Waits for both and throws the first error after both ended, so that nothing is left half-started. */
const bothOrFirstError = async <A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> => {
  const [x, y] = await Promise.allSettled([a, b]);
  if (x.status === 'rejected') throw x.reason;
  if (y.status === 'rejected') throw y.reason;
  return [x.value, y.value];
};
