import { numberParam, type Params, type WaveformInput } from './feature.ts';

/** A band of frequencies, low ≤ f < high; all in Hz. */
export interface Band {
  readonly low: number;
  readonly high: number;
  readonly rateHz: number;
}

/**
 * The band that `low` and `high` say, in Hz or, where `speed` names a signal, in orders of the shaft frequency.
 * @returns undefined where that speed, in 1/min, is not good or not above 0, or the waveform has no sample rate.
 */
export const bandOf = ({ params, signal, scalar }: WaveformInput, feature: string): Band | undefined => {
  const rateHz = signal.sampleRateHz;
  const speed = params['speed'] === undefined ? 60 : scalar(String(params['speed']));
  if (rateHz === undefined || speed === undefined || speed <= 0) return undefined;
  const unit = speed / 60;
  return { low: numberParam(params, 'low', feature) * unit, high: numberParam(params, 'high', feature) * unit, rateHz };
};

export const bandProblem = ({ low, high }: Params): string | undefined =>
  (low as number) >= 0 && (high as number) > (low as number)
    ? undefined
    : `"low" must not be below 0 and "high" must be above it, they are ${low} and ${high}`;
