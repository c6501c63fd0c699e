/**
 * A sequential detector: one observation at a time, constant state, no clock, no chance. Values are immutable, so a
 * detector can be kept, compared and gone back to.
 */
export interface Detector<Observation, Self> {
  /** What it says after the observations so far. */
  readonly value: number;
  /** @returns the detector after one more observation. */
  update(observation: Observation): Self;
  /** @returns it as it was before the first observation. */
  reset(): Self;
  /** Its state as plain JSON. */
  toJSON(): unknown;
}

/** A detector that says itself when it alarms. It goes on afterwards as its source says; whoever wants a fresh one resets it. */
export interface AlarmingDetector<Self> extends Detector<number, Self> {
  /** Whether the last observation made it alarm. */
  readonly inAlarm: boolean;
}

/** Any of them, where it does not matter which. */
export interface AnyDetector extends AlarmingDetector<AnyDetector> {}

/** What a detector takes: an error is 0 or 1, a loss lies in [0, 1], a value is any finite number. */
export type Watched = 'error' | 'loss' | 'value';

/** One file of core/drift/detectors: found by its name, tried by the conformance suite, chosen in replays and benches. */
export interface DetectorDefinition<D extends AlarmingDetector<D> = AnyDetector> {
  /** As its file. */
  readonly name: string;
  readonly watches: Watched;
  /** One line: what it finds, and what it knows beforehand. */
  readonly says: string;
  /** Paper, and the implementation whose constants are the defaults. */
  readonly source: string;
  /** Options by name with their defaults, all numbers. */
  readonly defaults: Readonly<Record<string, number>>;
  /** @throws {RangeError} naming an option that is unknown or out of its range. */
  start(options?: Readonly<Record<string, number>>): D;
  /** @returns the detector whose `toJSON` gave this. @throws {RangeError} when it is none. */
  restore(state: unknown): D;
}

/** Something that summarises observations and can be added to others of its kind, in any order, to the same bytes. */
export interface Sketch<Observation, Self> {
  update(observation: Observation): Self;
  /** @throws {RangeError} when the two are not on the same cells. */
  merge(other: Self): Self;
  reset(): Self;
  toJSON(): unknown;
}
