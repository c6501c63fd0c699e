import type { SignalDefinition } from '../../contracts/use-case.ts';

export type ParamValue = number | string | boolean | readonly number[] | readonly string[];
export type Params = Readonly<Record<string, ParamValue>>;

/**
 * What a parameter must be: a number, a number that has a default, a list of numbers, or the name of a signal of the
 * use case (one or several).
 */
export type ParamKind =
  | 'number'
  | 'optional-number'
  | 'numbers'
  | 'scalar-signal'
  | 'scalar-signals'
  | 'waveform-signal';

/** What every feature says of itself. */
interface FeatureBase {
  readonly name: string;
  /**
   * Raised whenever the same input may give other bits. It is part of a definition and so of a feature set's digest: a
   * model that learnt from one version is never served by another.
   */
  readonly version: number;
  readonly says: string;
  /** What missing or BAD input does to it. */
  readonly missing: string;
  readonly params: Readonly<Record<string, ParamKind>>;
  /** UCUM unit of its value, from that of its signal; `1` for a pure number. */
  readonly unit: (signal: string, params: Params) => string;
}

/** One good value of a scalar signal; `age` counts frames back from the newest (0). */
export interface Point {
  readonly age: number;
  readonly value: number;
}

/** A feature over the good values of a scalar signal, oldest first, at least one. Undefined: too few of them. */
export interface ScalarFeature extends FeatureBase {
  readonly kind: 'scalar';
  readonly compute: (points: readonly Point[], params: Params) => number | undefined;
}

export interface WaveformInput {
  readonly samples: Float64Array;
  readonly signal: SignalDefinition;
  readonly params: Params;
  /** Good value of a scalar signal of the same frame; undefined when it is BAD or absent. */
  readonly scalar: (name: string) => number | undefined;
  /** Good samples of another waveform of the same frame. */
  readonly waveform: (name: string) => Float64Array | undefined;
}

/** A feature of one waveform; over a window it is the mean of the frames that have one. Undefined: this frame has none. */
export interface WaveformFeature extends FeatureBase {
  readonly kind: 'waveform';
  readonly compute: (input: WaveformInput) => number | undefined;
}

/** A frame of the window as a window feature sees it. */
export interface WindowFrame {
  readonly age: number;
  /** Milliseconds since 1970, UTC. */
  readonly time: number;
  /** Good value of a scalar signal; undefined when it is BAD or absent. */
  readonly scalar: (name: string) => number | undefined;
}

export interface WindowInput {
  /** Oldest first, at least one; the newest has age 0. Frames that never came are not there. */
  readonly frames: readonly WindowFrame[];
  /** Its length as declared, frames. */
  readonly length: number;
  readonly signal: SignalDefinition;
  readonly params: Params;
}

/** A feature that needs frames as they lie in time, or several scalar signals of them. Its signal is a scalar. */
export interface WindowFeature extends FeatureBase {
  readonly kind: 'window';
  readonly compute: (input: WindowInput) => number | undefined;
}

export type Feature = ScalarFeature | WaveformFeature | WindowFeature;

/** @throws {Error} naming the parameter when it is missing or no number. */
export const numberParam = (params: Params, name: string, feature: string): number => {
  const value = params[name];
  if (typeof value !== 'number')
    throw new Error(`feature ${feature} needs the number "${name}" in its params; got ${JSON.stringify(value)}`);
  return value;
};
