import type { Band } from '../engine/band.ts';
import type { Spectrum } from './analysis.ts';

/**
 * Amplitude of an oscillation near `hz`: the root of the power within `halfWidth` bins, scaled so that a sine of
 * amplitude 1 on a bin gives √1.5 (the Hann window spreads it over three bins). The mean never counts.
 * @returns 0 where the band lies outside the spectrum.
 */
export const amplitudeAround = ({ power, size }: Spectrum, rateHz: number, hz: number, halfWidth: number): number => {
  const centre = Math.round((hz * size) / rateHz);
  let sum = 0;
  for (let i = Math.max(1, centre - halfWidth); i <= Math.min(size / 2, centre + halfWidth); i++)
    sum += power[i] as number;
  return (4 * Math.sqrt(sum)) / size;
};

/** Bins of low ≤ f < high, without that of the mean: first, and behind the last. */
export const binsOf = (size: number, { low, high, rateHz }: Band): readonly [number, number] => [
  Math.max(1, Math.ceil((low * size) / rateHz)),
  Math.min(size / 2 + 1, Math.ceil((high * size) / rateHz)),
];

/**
 * Root mean square of what lies in a band: by Parseval's theorem a spectrum of all bins has that of the samples without
 * their mean, times the window's mean square (3/8 for Hann), which is divided out.
 * @returns 0 where the band lies outside the spectrum.
 */
export const rmsBetween = ({ power, size }: Spectrum, band: Band): number => {
  const [first, end] = binsOf(size, band);
  let sum = 0;
  for (let i = first; i < end; i++) sum += power[i] as number;
  // One-sided: every bin but the last stands for two.
  if (first < end && end > size / 2) sum -= 0.5 * (power[size / 2] as number);
  return Math.sqrt((2 * sum) / (0.375 * size * size));
};

/** The same of the integral over time, seconds: each amplitude is divided by 2πf. */
export const integralRmsBetween = ({ power, size }: Spectrum, band: Band): number => {
  const [first, end] = binsOf(size, band);
  let sum = 0;
  for (let i = first; i < end; i++) sum += (power[i] as number) / (i * i);
  if (first < end && end > size / 2) sum -= (2 * (power[size / 2] as number)) / (size * size);
  const binRadians = (2 * Math.PI * band.rateHz) / size;
  return Math.sqrt((2 * sum) / (0.375 * size * size)) / binRadians;
};
