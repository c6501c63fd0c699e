import type { SignalDefinition } from '../contracts/use-case.ts';

export type Params = Readonly<Record<string, number | string | boolean>>;

/** What a parameter must be: a number, a number that has a default, or the name of a scalar signal of the use case. */
export type ParamKind = 'number' | 'optional-number' | 'scalar-signal';

/** One good value of a scalar signal; `age` counts frames back from the newest (0). */
export interface Point {
  readonly age: number;
  readonly value: number;
}

/** A feature over the good values of a scalar signal, oldest first, at least one. */
export interface ScalarFeature {
  readonly name: string;
  readonly kind: 'scalar';
  readonly says: string;
  readonly params: Readonly<Record<string, ParamKind>>;
  readonly compute: (points: readonly Point[], params: Params) => number;
}

export interface WaveformInput {
  readonly samples: Float64Array;
  readonly signal: SignalDefinition;
  readonly params: Params;
  /** Good value of a scalar signal of the same frame; undefined when it is BAD or absent. */
  readonly scalar: (name: string) => number | undefined;
}

/** A feature of one waveform; over a window it is the mean of the frames that have one. Undefined: this frame has none. */
export interface WaveformFeature {
  readonly name: string;
  readonly kind: 'waveform';
  readonly says: string;
  readonly params: Readonly<Record<string, ParamKind>>;
  readonly compute: (input: WaveformInput) => number | undefined;
}

export type Feature = ScalarFeature | WaveformFeature;

/** @throws {Error} naming the parameter when it is missing or no number. */
export const numberParam = (params: Params, name: string, feature: string): number => {
  const value = params[name];
  if (typeof value !== 'number')
    throw new Error(`feature ${feature} needs the number "${name}" in its params; got ${JSON.stringify(value)}`);
  return value;
};
