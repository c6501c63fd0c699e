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

/**
 * Root mean square of what lies in low ≤ f < high: by Parseval's theorem a spectrum of all bins has that of the samples
 * without their mean, times the window's mean square (3/8 for Hann), which is divided out. The mean never counts.
 * @param low, high, rateHz of the same unit.
 * @returns 0 where the band lies outside the spectrum.
 */
export const bandRms = ({ power, size }: Spectrum, rateHz: number, low: number, high: number): number => {
  const first = Math.max(1, Math.ceil((low * size) / rateHz));
  const end = Math.min(size / 2 + 1, Math.ceil((high * size) / rateHz));
  let sum = 0;
  for (let i = first; i < end; i++) sum += power[i] as number;
  // One-sided: every bin but the last stands for two.
  if (first <= size / 2 && end === size / 2 + 1) sum -= 0.5 * (power[size / 2] as number);
  return Math.sqrt((2 * sum) / (0.375 * size * size));
};
