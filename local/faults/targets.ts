import { join } from 'node:path';
import type { LocalPlant } from '#core/contracts/local-plant.ts';
import { descendantsOf, type Process } from './processes.ts';

/** Where the processes of one plant are found: what it says of itself, its state folder, and the machine's processes. */
export interface Scene {
  readonly plant: LocalPlant;
  /** Absolute path of the state folder; what does not lie below it is not of this plant. */
  readonly stateDir: string;
  readonly processes: readonly Process[];
}

export interface Worker {
  readonly function: string;
  readonly pid: number;
}

/** One training or processing job that runs. */
export interface RunningJob {
  readonly program: string;
  readonly pid: number;
}

const serviceProcess = (scene: Scene, name: string, isIt: (p: Process) => boolean): Process | null => {
  const pid = scene.plant.services.find((s) => s.name === name)?.pid;
  const found = scene.processes.find((p) => p.pid === pid);
  // A process id is used again: what it runs says whether it is still the same.
  return found !== undefined && isIt(found) ? found : null;
};

/** The process of the local AWS; null when it is not there. */
export const emulatorOf = (scene: Scene): Process | null =>
  serviceProcess(
    scene,
    'aws',
    (p) => p.cwd === join(scene.stateDir, 'aws') && p.args.some((a) => a.endsWith('launcher.py')),
  );

const WORKER = /^ministack-lambda-(.+)-[^-]{8}$/;

/** Processes that run Lambda functions of the plant, by name and process id. */
export const workersOf = (scene: Scene): readonly Worker[] => {
  const emulator = emulatorOf(scene);
  if (emulator === null) return [];
  const tmp = `${join(scene.stateDir, 'aws', 'tmp')}/`;
  return descendantsOf(scene.processes, emulator.pid)
    .flatMap((p) => {
      const script = p.args.find((a) => a.startsWith(tmp));
      const name = WORKER.exec(script?.slice(tmp.length).split('/')[0] ?? '')?.[1];
      return name === undefined ? [] : [{ function: name, pid: p.pid }];
    })
    .sort((a, b) => a.function.localeCompare(b.function) || a.pid - b.pid);
};

/** The process of a device; null when it is not there. */
export const deviceProcessOf = (scene: Scene, device: string): Process | null => {
  const known = scene.plant.devices.find((d) => d.device === device);
  const found = scene.processes.find((p) => p.pid === known?.pid);
  const isIt = found?.args.some((a, i) => a === '--root' && found.args[i + 1] === known?.root) ?? false;
  return isIt ? (found as Process) : null;
};

/** Programs of jobs that run: what the guard started that the SageMaker stand-in keeps for each job. */
export const jobsOf = (scene: Scene): readonly RunningJob[] => {
  const service = serviceProcess(
    scene,
    'sagemaker',
    (p) => p.parent === scene.plant.pid && p.args.some((a) => a.includes('local/sagemaker/')),
  );
  if (service === null) return [];
  const guards = scene.processes.filter((p) => p.parent === service.pid && p.args.some((a) => a.endsWith('guard.ts')));
  return guards
    .flatMap((guard) => scene.processes.filter((p) => p.parent === guard.pid))
    .map((program) => ({ program: program.args.slice(1).join(' '), pid: program.pid }))
    .sort((a, b) => a.pid - b.pid);
};
