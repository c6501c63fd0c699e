import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { LOCAL_PLANT_FILE, type LocalPlant } from '#core/contracts/local-plant.ts';
import { platformNames } from '#core/contracts/names.ts';
import { isAlive } from '../shared/service.ts';
import { buildBundles, deployStacks } from './deploy.ts';
import { Devices, planDevices } from './devices.ts';
import { checkDisk, checkDiskLeft } from './disk.ts';
import { StartError } from './errors.ts';
import { firstPass } from './first-pass.ts';
import { noteHoldings, readCut, tellKept } from './holdings.ts';
import { clientsOf, REGION, readPorts, type Services, startServices, writeWhole } from './plant.ts';
import { nextLap, type Plant, STAGE, type StartDeps } from './plant-context.ts';
import { registryView } from './registry.ts';
import { chooseDefinition, discoverDefinitions, openSource, sameMachines } from './source.ts';
import { Story } from './story/story.ts';

const STEADY_MS = 1000;

/** One start of the plant, from an empty folder to decisions on devices; and everything it started, to be stopped again. */
export class Pass {
  private readonly deps: StartDeps;
  private services: Services | null = null;
  private plantFile: LocalPlant | null = null;
  private readonly devices: Devices;
  readonly summary: (readonly [string, string])[] = [];
  /** A decision of the model, to try commands with. */
  sampleDecision: string | null = null;

  constructor(deps: StartDeps) {
    this.deps = deps;
    this.devices = new Devices(deps, (pids) => this.notePids(pids));
  }

  /** Stops what was started, last first; each even if another fails. */
  async stop(): Promise<void> {
    const { services } = this;
    this.services = null;
    const quietly = async (what: Promise<unknown> | undefined): Promise<void> => {
      try {
        await what;
      } catch (error) {
        this.deps.teller.line(`  ! while stopping: ${(error as Error).message}`);
      }
    };
    await this.devices.stop();
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
    const { stateDir } = this.deps;
    checkDiskLeft(stateDir);
    const services = [this.services?.aws, this.services?.sagemaker, this.services?.greengrass];
    const dead = services.flatMap((s) => (s === undefined || isAlive(s.pid) ? [] : [s.name]));
    if (dead.length > 0)
      throw new StartError(
        `${dead.join(', ')} ended although nobody stopped it`,
        'read its log; start again: the plant goes on where it was',
        join(stateDir, 'logs', `${dead[0]}.log`),
      );
    await this.devices.look();
  }

  machineStats() {
    return this.devices.machineStats();
  }

  async run(): Promise<void> {
    const { root, stateDir, options, teller, signal } = this.deps;
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
    const where = { root, stateDir, signal, teller };
    const cut = readCut(stateDir);
    const building = teller.step('bundles', async () => [await buildBundles(where), null]);
    const starting = teller.step('local AWS', async () => {
      this.services = await startServices(stateDir, root, ports);
      return [`${this.services.endpoints.aws} with IAM, SageMaker, Greengrass, MQTT`, this.services];
    });
    const [, services] = await bothOrFirstError(building, starting);
    const clients = clientsOf(services.endpoints);
    const holdings = {
      stateDir,
      db: clients.db,
      greengrass: clients.greengrass,
      registryTable: names.registry.name,
      awsPid: services.aws.pid,
      now: this.deps.now,
    };
    for (const line of await tellKept(cut, holdings, this.deps.wasCut)) teller.line(`  ${line}`);
    void noteHoldings(holdings, signal);
    const plan = planDevices(config, site, options.devices, stateDir);
    const startedAt = this.deps.now();
    this.plantFile = {
      schema: 'local-plant/1',
      stage: STAGE,
      site,
      region: REGION,
      account: config.planes.plant.account,
      pid: process.pid,
      startedAt,
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
    await teller.step('stacks', async () => [await deployStacks(where, services.endpoints.aws), null]);
    const plant: Plant = {
      ...this.deps,
      config,
      site,
      names,
      played,
      modelLine,
      services,
      clients,
      registry: registryView(clients.db, names.registry.name),
      startedAt,
      summary: this.summary,
    };
    const lanes = played.source.live(options.devices);
    const pass = await firstPass(plant, this.devices, plan, lanes);
    this.sampleDecision = pass.sampleDecision;
    const told =
      !options.noStory && (await new Story({ plant, devices: this.devices, plan, identity: played.identity }).tell());
    if (!told) {
      void this.devices.machines.play(nextLap(stateDir), { repeat: true });
      this.devices.machines.setPace(STEADY_MS);
    }
  }

  private checkMachines(modelLine: string, identity: string): void {
    const file = join(this.deps.stateDir, 'seeds.json');
    const known = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, number | string>) : {};
    const before = known[modelLine];
    // A bare number is a seed: the first plants wrote no more.
    const was = typeof before === 'number' ? `seed ${before}` : before;
    if (was !== undefined && was !== identity)
      throw new StartError(
        `this plant holds the history of ${was} for ${modelLine}; ${identity} would be other machines under the same names`,
        sameMachines(was),
      );
    writeWhole(file, JSON.stringify({ ...known, [modelLine]: identity }));
  }

  private notePids(pids: ReadonlyMap<string, number>): void {
    if (this.plantFile === null) return;
    const devices = this.plantFile.devices.map((d) => ({ ...d, pid: pids.get(d.device) ?? null }));
    this.plantFile = { ...this.plantFile, devices };
    this.writePlant();
  }

  private writePlant(): void {
    writeWhole(join(this.deps.stateDir, LOCAL_PLANT_FILE), JSON.stringify(this.plantFile, null, 2));
  }
}

/** Waits for both and throws the first error after both ended, so that nothing is left half-started. */
const bothOrFirstError = async <A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> => {
  const [x, y] = await Promise.allSettled([a, b]);
  if (x.status === 'rejected') throw x.reason;
  if (y.status === 'rejected') throw y.reason;
  return [x.value, y.value];
};
