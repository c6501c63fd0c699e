import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ListEffectiveDeploymentsCommand } from '@aws-sdk/client-greengrassv2';
import type { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { thingName } from '#core/contracts/release.ts';
import type { LiveRun } from '#core/contracts/source.ts';
import { type Device, startCoreDevice } from '../greengrass/core-device/start-core-device.ts';
import { lanesBegin } from '../plant/lives.ts';
import { type AnsweredFrame, laneName, type Machines, startMachines } from '../plant/machines.ts';
import { isAlive } from '../shared/service.ts';
import { StartError } from './errors.ts';
import { REGION, writeWhole } from './plant.ts';
import { cli, keepLivedUntil, livedUntil, type Plant, STAGE, type StartDeps } from './plant-context.ts';
import { until } from './wait.ts';

/** While a model is trained the machines leave it the processors. */
export const SLOW_MS = 1000;

export interface DevicePlan {
  readonly device: string;
  readonly thing: string;
  readonly ring: number;
  readonly deviceClass: string;
  readonly nucleus: 'classic' | 'lite';
  readonly root: string;
}

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

/**
 * Machines send nothing that has not happened yet.
 * @param moved by how much the lanes are later than their source says, ms.
 * @throws {StartError} when what they would live through next lies in the future.
 */
export const assertPast = (lanes: readonly (readonly LiveRun[])[], moved: number, now: string): void => {
  const begins = lanesBegin(lanes);
  if (begins !== null && begins + moved > Date.parse(now))
    throw new StartError(
      `the machines of this plant have lived up to the present: what they would send next is of ${new Date(begins + moved).toISOString().slice(0, 10)}`,
      'begin anew with --fresh, or give another --state-dir',
    );
};

/** The devices of the plant and the machines that they are wired to. */
export class Devices {
  private readonly deps: StartDeps;
  private readonly onPids: (pids: ReadonlyMap<string, number>) => void;
  private readonly plugged: Plugged[] = [];
  private running: Machines | null = null;
  private readonly lastAnswers = new Map<string, AnsweredFrame>();
  private readonly listeners = new Set<(answer: AnsweredFrame) => void>();

  constructor(deps: StartDeps, onPids: (pids: ReadonlyMap<string, number>) => void) {
    this.deps = deps;
    this.onPids = onPids;
  }

  /** @throws {Error} before the devices are started. */
  get machines(): Machines {
    if (this.running === null) throw new Error('machines run once the devices are started');
    return this.running;
  }

  machineStats() {
    return this.running?.stats() ?? [];
  }

  /** The newest answer to each machine. */
  heard(): readonly AnsweredFrame[] {
    return [...this.lastAnswers.values()];
  }

  /** Calls `then` for every answer to a machine. @returns a function that ends it. */
  listen(then: (answer: AnsweredFrame) => void): () => void {
    this.listeners.add(then);
    return () => void this.listeners.delete(then);
  }

  /** Stops all; each even if another fails, which is told. */
  async stop(): Promise<void> {
    const quietly = async (what: Promise<unknown> | undefined): Promise<void> => {
      try {
        await what;
      } catch (error) {
        this.deps.teller.line(`  ! while stopping: ${(error as Error).message}`);
      }
    };
    await Promise.all(this.plugged.splice(0).map(({ device }) => quietly(device.stop())));
    await quietly(this.running?.close());
    this.running = null;
  }

  private pids(): ReadonlyMap<string, number> {
    return new Map(this.plugged.map(({ id, device }) => [id, device.pid]));
  }

  /**
   * Starts devices again that ended: each goes on where it was.
   * @throws {StartError} for a device that ends again and again.
   */
  async look(): Promise<void> {
    for (const plugged of this.plugged) {
      if (isAlive(plugged.device.pid)) continue;
      if (plugged.comebacks >= COMEBACKS)
        throw new StartError(
          `${plugged.id} ended ${COMEBACKS + 1} times although nobody stopped it`,
          'read its log; start again: the plant goes on where it was',
          join(plugged.device.root, 'logs'),
        );
      plugged.comebacks++;
      this.deps.teller.line(
        `  ${this.deps.teller.paint('yellow', '!')} ${plugged.id} ended although nobody stopped it; it is started again`,
      );
      // Its guard may still be ending what the device had started.
      await plugged.device.stop();
      plugged.device = await plugged.again();
      this.onPids(this.pids());
    }
  }

  private onAnswer(answer: AnsweredFrame): void {
    this.lastAnswers.set(answer.machine, answer);
    for (const then of this.listeners) then(answer);
  }

  /** Commissions and starts the devices of the plan, each with the machine of its lane, which plays from `lap` on. */
  async start(
    plant: Plant,
    plan: readonly DevicePlan[],
    lanes: readonly (readonly LiveRun[])[],
    lap: number,
  ): Promise<string> {
    const { stateDir, signal, services, names, modelLine } = plant;
    const portsFile = join(stateDir, 'machine-ports.json');
    const ports = existsSync(portsFile) ? (JSON.parse(readFileSync(portsFile, 'utf8')) as number[]) : [];
    this.running = await startMachines(
      lanes.map((runs, i) => ({
        machine: laneName(runs, i + 1),
        runs,
        ...(ports[i] === undefined ? {} : { port: ports[i] }),
      })),
      {
        paceMs: SLOW_MS,
        onAnswer: (answer) => this.onAnswer(answer),
        livedUntil: livedUntil(stateDir),
        onLived: (until) => keepLivedUntil(stateDir, until),
      },
    );
    assertPast(lanes, this.machines.moved(), plant.now());
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
    const told = await cli<{ devices: { device: string; cert: string; key: string; ca: string }[] }>(
      plant,
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
        this.plugged.push({ id: d.device, device: await again(), again, comebacks: 0 });
      }),
    );
    const failed = running.find((r) => r.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    this.onPids(this.pids());
    void this.machines.play(lap, { repeat: true });
    await until(async () => (this.lastAnswers.size === plan.length ? true : null), {
      signal,
      seconds: 150,
      late: () => this.whyNoAnswer(plant, plan),
    });
    this.deps.teller.part('device start to first decision', performance.now() - from, `slowest of ${plan.length}`);
    return `${plan.length} commissioned (${plan.filter((d) => d.nucleus === 'lite').length} lite), each answers its machine`;
  }

  private async whyNoAnswer({ clients }: Plant, plan: readonly DevicePlan[]): Promise<StartError> {
    const answering = new Set(this.lastAnswers.keys());
    const names = this.machines.endpoints.map((e) => e.machine);
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
}
