import type { LocalPlant, MessageCarrier, ThrottledService } from '#core/contracts/local-plant.ts';
import { askDevice } from '../greengrass/core-device/control.ts';
import { CONTROL_SOCKET, socketPathIn } from '../greengrass/core-device/paths.ts';
import { countersIn, faultsIn, putFaults } from './faults-file.ts';
import { ChaosError, chosenBy, untilOf, withMessages, withThrottle } from './orders.ts';
import { machineProcesses, type ProcessTable } from './processes.ts';
import { deviceProcessOf, emulatorOf, jobsOf, type Scene, workersOf } from './targets.ts';

/** What was done, and what the plant does about it. */
export interface Done {
  readonly did: string;
  readonly expect: string;
}

export interface ChaosDeps {
  readonly plant: LocalPlant;
  /** Absolute path of the plant's state folder. */
  readonly stateDir: string;
  readonly now: () => string;
  readonly processes?: ProcessTable;
  readonly switchNetwork?: (deviceRoot: string, on: boolean) => Promise<void>;
}

/** Ways to disturb one local plant; nothing outside it is touched. */
export type Chaos = ReturnType<typeof makeChaos>;

const overSocket = async (root: string, on: boolean): Promise<void> => {
  await askDevice(socketPathIn(root, CONTROL_SOCKET), { op: 'network', on });
};

/** Faults for a running local plant. @throws {ChaosError} from each order that finds nothing to disturb. */
export const makeChaos = (deps: ChaosDeps) => {
  const { plant, stateDir, now, processes = machineProcesses, switchNetwork = overSocket } = deps;
  const scene = (): Scene => ({ plant, stateDir, processes: processes.list() });
  const device = (name: string) => {
    const found = plant.devices.find((d) => d.device === name);
    if (found === undefined)
      throw new ChaosError(
        `the plant has no device "${name}"`,
        `name one of: ${plant.devices.map((d) => d.device).join(', ')}`,
      );
    return found;
  };

  return {
    killWorker(name: string | null, seed: number): Done {
      const workers = workersOf(scene());
      const wanted =
        name === null ? workers : workers.filter((w) => w.function === name || w.function.endsWith(`-${name}`));
      if (wanted.length === 0)
        throw new ChaosError(
          name === null ? 'no Lambda worker runs' : `no Lambda worker of "${name}" runs`,
          workers.length === 0
            ? 'a worker runs while its function is called and for some minutes after; try again when something happens'
            : `workers run for: ${[...new Set(workers.map((w) => w.function))].join(', ')}`,
        );
      const worker = chosenBy(seed, wanted);
      processes.kill(worker.pid);
      return {
        did: `killed the worker of ${worker.function} (process ${worker.pid})`,
        expect:
          'a call that it was in fails with Runtime.ExitError and is made again by its workflow or queue; the next call starts another worker',
      };
    },

    killEmulator(): Done {
      const found = emulatorOf(scene());
      if (found === null) throw new ChaosError('the local AWS does not run', 'start the plant with "npm start"');
      processes.kill(found.pid);
      return {
        did: `killed the local AWS (process ${found.pid})`,
        expect: 'the plant stops and says so; the next "npm start" says what was kept and what was lost, and goes on',
      };
    },

    killDevice(name: string): Done {
      device(name);
      const found = deviceProcessOf(scene(), name);
      if (found === null) throw new ChaosError(`${name} does not run`, 'it is coming back, or the plant is stopping');
      processes.kill(found.pid);
      return {
        did: `killed ${name} with all its components (process ${found.pid})`,
        expect:
          'the plant starts it again within seconds; it serves the package it served, and sends what its spool kept',
      };
    },

    killTrainer(seed: number): Done {
      const jobs = jobsOf(scene());
      if (jobs.length === 0)
        throw new ChaosError('no training or processing job runs', 'ask for one: "millwright retrain", then try again');
      const job = chosenBy(seed, jobs);
      processes.kill(job.pid);
      return {
        did: `killed a job's program (${job.program}, process ${job.pid})`,
        expect: 'the job ends Failed with exit code 137, its retrain fails with that reason, and the champion goes on',
      };
    },

    async network(name: string, on: boolean): Promise<Done> {
      await switchNetwork(device(name).root, on);
      return on
        ? {
            did: `${name} is connected again`,
            expect: 'it sends what its spool kept, and joins at the package of its ring',
          }
        : {
            did: `cut ${name} off from the cloud; its machines still reach it`,
            expect: 'it goes on deciding and keeps its decisions until it is connected again',
          };
    },

    messages(order: {
      readonly drop: number;
      readonly repeat: number;
      readonly delaySeconds: number;
      readonly carriers: readonly MessageCarrier[];
      readonly forSeconds: number | null;
      readonly seed: number;
    }): Done {
      const { drop, repeat, delaySeconds, carriers, forSeconds, seed } = order;
      if (drop === 0 && repeat === 0 && delaySeconds === 0)
        throw new ChaosError('nothing would happen to any message', 'say --drop, --delay or --repeat', 'usage');
      const until = untilOf(now(), forSeconds);
      const fault = { carriers: [...carriers], drop, repeat, delaySeconds, until };
      putFaults(stateDir, withMessages(faultsIn(stateDir, now()), seed, fault));
      const parts = [
        ...(drop > 0 ? [`${percent(drop)} lost`] : []),
        ...(repeat > 0 ? [`${percent(repeat)} twice`] : []),
        ...(delaySeconds > 0 ? [`all ${delaySeconds} s late`] : []),
      ];
      return {
        did: `messages of ${carriers.join(' and ')}: ${parts.join(', ')}, ${untilWords(until)}`,
        expect:
          'doubled and late messages change nothing in the end; what is lost here is lost, as no queue ever had it',
      };
    },

    throttle(order: {
      readonly service: ThrottledService;
      readonly share: number;
      readonly forSeconds: number | null;
      readonly seed: number;
    }): Done {
      const { service, share, forSeconds, seed } = order;
      if (share === 0)
        throw new ChaosError(
          `no request to ${service} would be refused`,
          'give a --share above 0; "millwright chaos stop" takes faults back',
          'usage',
        );
      const until = untilOf(now(), forSeconds);
      putFaults(stateDir, withThrottle(faultsIn(stateDir, now()), seed, { service, share, until }));
      return {
        did: `${service} refuses ${percent(share)} of its requests, ${untilWords(until)}`,
        expect: 'SDKs, workflows and queues try again: everything is slower, nothing is lost',
      };
    },

    stop(): Done {
      const before = faultsIn(stateDir, now());
      putFaults(stateDir, null);
      return {
        did: before === null ? 'no fault was in force' : 'all faults of messages and requests are taken back',
        expect: 'a device that was cut off stays so: "millwright chaos network <device> on"',
      };
    },

    /** Faults in force, what can be killed, and what the local AWS counted. */
    status() {
      const here = scene();
      return {
        faults: faultsIn(stateDir, now()),
        emulator: emulatorOf(here)?.pid ?? null,
        workers: workersOf(here),
        jobs: jobsOf(here),
        devices: plant.devices.map(({ device: name }) => ({
          device: name,
          pid: deviceProcessOf(here, name)?.pid ?? null,
        })),
        messages: countersIn(stateDir)?.messages ?? {},
      };
    },
  };
};

const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;
const untilWords = (until: string | null): string =>
  until === null ? 'until "millwright chaos stop"' : `until ${until}`;
