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

/** A run of the story: how the machine lived, and what the plant comes to know of it, days later. */
export interface StoryRun extends LiveRun {
  readonly events: readonly PlantEvent[];
}

/** What happens to the machines after the first model serves: the part of the local plant's story that only they know. */
export interface StorySource {
  /** What changes, in a few words, for example "spindle-103 gets another bearing type". */
  readonly change: string;
  /** Events that announce it, known at once. */
  readonly announcements: readonly PlantEvent[];
  /** Runs after the change, dealt to the machines; their events are told when simulated time reaches `knownTime`. */
  readonly runs: readonly (readonly StoryRun[])[];
  /** What the machines do from then on, again and again. */
  readonly after: readonly (readonly LiveRun[])[];
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
  /** What comes after the first model serves; null when these machines have no such story, with why. */
  story?(machines: number): StorySource | { readonly none: string };
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
