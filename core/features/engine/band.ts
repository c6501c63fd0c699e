import { numberParam, type Params, type WaveformInput } from './feature.ts';

/** A band of frequencies, low ≤ f < high; all in Hz. */
export interface Band {
  readonly low: number;
  readonly high: number;
  readonly rateHz: number;
}

/** Frequency of the shaft, Hz; undefined where the scalar signal `speed`, in 1/min, is not good or not above 0. */
const shaftHz = ({ params, scalar }: WaveformInput): number | undefined => {
  const speed = scalar(String(params['speed']));
  return speed === undefined || speed <= 0 ? undefined : speed / 60;
};

/**
 * The band that `low` and `high` say, in Hz or, where `speed` names a signal, in orders of the shaft frequency.
 * @returns undefined where there is no shaft frequency to tell it in, or the waveform has no sample rate.
 */
export const bandOf = (input: WaveformInput, feature: string): Band | undefined => {
  const { params } = input;
  const rateHz = input.signal.sampleRateHz;
  const unit = params['speed'] === undefined ? 1 : shaftHz(input);
  if (rateHz === undefined || unit === undefined) return undefined;
  return { low: numberParam(params, 'low', feature) * unit, high: numberParam(params, 'high', feature) * unit, rateHz };
};

/**
 * The line that `order` says, in orders of the shaft frequency.
 * @returns undefined where there is no shaft frequency, or the waveform has no sample rate.
 */
export const orderOf = (
  input: WaveformInput,
  feature: string,
): { readonly hz: number; readonly rateHz: number } | undefined => {
  const rateHz = input.signal.sampleRateHz;
  const unit = shaftHz(input);
  if (rateHz === undefined || unit === undefined) return undefined;
  return { hz: numberParam(input.params, 'order', feature) * unit, rateHz };
};

export const bandProblem = ({ low, high }: Params): string | undefined =>
  (low as number) >= 0 && (high as number) > (low as number)
    ? undefined
    : `"low" must not be below 0 and "high" must be above it, they are ${low} and ${high}`;
