import type { Frame } from './frame.ts';
import type { PlantEvent } from './plant-event.ts';
import type { UseCase } from './use-case.ts';

/** One life of one machine from commissioning to its end: frames in order and what became known about it. */
export interface RunHistory {
  readonly asset: string;
  readonly run: string;
  readonly frames: readonly Frame[];
  readonly events: readonly PlantEvent[];
}

/** What to replay on the devices, and the truth that is only known afterwards. */
export interface LiveRun {
  readonly asset: string;
  readonly run: string;
  readonly frames: readonly Frame[];
  /** Remaining useful life after the last frame, label units; null when unknown. */
  readonly remainingAtEnd: number | null;
}

/**
 * The machines of a use case as the local plant drives them: simulated, or replayed from recorded data.
 * Deterministic: the same seed and data give the same bytes.
 */
export interface PlantSource {
  readonly name: string;
  /** History to train on, one run at a time so that it need not fit memory. */
  history(): Iterable<RunHistory>;
  /** Runs for the devices' machines, dealt to `machines` machines. */
  live(machines: number): readonly (readonly LiveRun[])[];
}

export interface SourceOptions {
  readonly site: string;
  readonly seed: number;
  /** First source time of the history, ISO instant. */
  readonly start: string;
  /** Bytes of a recorded file by name, unpacked when the folder has it as `<name>.gz`; throws when absent. Given only with `--data`. */
  readonly readData?: (name: string) => Uint8Array;
}

/** What `use-cases/<name>/use-case.ts` exports as `definitions`; tooling finds it by that name. */
export interface UseCaseDefinition {
  readonly useCase: UseCase;
  /** True when the source needs `readData`. */
  readonly needsData: boolean;
  /** Does this folder of data belong to this definition? Given the file names in it. */
  readonly recognises?: (files: readonly string[]) => boolean;
  readonly source: (options: SourceOptions) => PlantSource;
}
