import type { SignalDefinition } from '../../contracts/use-case.ts';

export type ParamValue = number | string | boolean | readonly number[] | readonly string[];
export type Params = Readonly<Record<string, ParamValue>>;

/**
 * What a parameter must be: a number, a number that has a default, a number in the unit of the feature's signal or a
 * list of such, a list of numbers, or the name of a signal of the use case (one, perhaps one, or several).
 */
export type ParamKind =
  | 'number'
  | 'optional-number'
  | 'level'
  | 'levels'
  | 'numbers'
  | 'scalar-signal'
  | 'optional-scalar-signal'
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
  /** What missing or BAD input does to it. "Never missing" only where it answers without any good value. */
  readonly missing: string;
  readonly params: Readonly<Record<string, ParamKind>>;
  /**
   * Parameters as one would write them; absent where none is needed. Scalars are `level`, `inlet` of its dimension
   * and `speed`, waveforms `wave` and `wave2`.
   */
  readonly example?: Params;
  /**
   * Names of parameters whose signals must have the dimension of the feature's own signal: their values come converted
   * to its unit.
   */
  readonly sameUnit?: readonly string[];
  /** UCUM units in which the values of the signals that parameters name come, by parameter. */
  readonly paramUnits?: Readonly<Record<string, string>>;
  /** What else the parameters and the window (frames) must be, kinds being right: a problem, or nothing. */
  readonly refuse?: (params: Params, window: number) => string | undefined;
  /**
   * UCUM unit of its value, from that of its signal; `1` for a pure number.
   * @param unitOf unit of another signal, by name.
   */
  readonly unit: (signal: string, params: Params, unitOf: (name: string) => string) => string;
}

/** The good values of a scalar signal in a window, oldest first. Valid while the feature computes. */
export interface Points {
  readonly values: Float64Array;
  /** `ages[i]` counts frames back from the newest (0): a frame that never came leaves a hole. */
  readonly ages: Float64Array;
}

/** A feature over the good values of a scalar signal, at least one. Undefined: too few of them. */
export interface ScalarFeature extends FeatureBase {
  readonly kind: 'scalar';
  readonly compute: (points: Points, params: Params) => number | undefined;
}

export interface WaveformInput {
  readonly samples: Float64Array;
  readonly signal: SignalDefinition;
  readonly params: Params;
  /** Good value of a scalar signal that a parameter names, of the same frame; undefined when it is BAD or absent. */
  readonly scalar: (name: string) => number | undefined;
  /** Good samples of another waveform of the same frame. */
  readonly waveform: (name: string) => Float64Array | undefined;
}

/** A feature of one waveform; over a window it is the mean of the frames that have one. Undefined: this frame has none. */
export interface WaveformFeature extends FeatureBase {
  readonly kind: 'waveform';
  readonly compute: (input: WaveformInput) => number | undefined;
}

/** The frames of a window, oldest first, at least one. Frames that never came are not there. Valid while it computes. */
export interface WindowInput {
  /** Frames back from the newest (0). */
  readonly ages: Float64Array;
  /** Source times, milliseconds since 1970, UTC. */
  readonly times: Float64Array;
  /** Values of the feature's signal; NaN where it is not good. */
  readonly values: Float64Array;
  /** Values of the signal that a parameter names, or of the `i`-th that it lists; NaN where it is not good. */
  readonly column: (param: string, i?: number) => Float64Array;
  /** Length of the window as declared, frames. */
  readonly length: number;
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

/** Signals that the parameters of a feature name, by parameter; none where one is left out. @param kind only scalars. */
export const signalsNamed = (
  feature: FeatureBase,
  params: Params,
  kind: 'signal' | 'scalar-signal' = 'signal',
): readonly (readonly [param: string, names: readonly string[]])[] =>
  Object.entries(feature.params)
    .filter(([, is]) => is.includes(kind))
    .map(([param]) => [param, [(params[param] ?? []) as string | readonly string[]].flat()]);
