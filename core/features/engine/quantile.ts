import { ranked, sums } from '../kernel/kernel.ts';
import type { Params } from './feature.ts';

/**
 * Quantile of some values by linear interpolation between neighbours (type 7 of Hyndman & Fan 1996, as numpy and R).
 * @param values at least one, none NaN; they must not be changed afterwards.
 * @param q 0 = the smallest, 0.5 = the median, 1 = the largest.
 */
export const quantileOf = (values: Float64Array, q: number): number => {
  // Plus 0: of 0 and −0, which are equal, it must not matter which is found.
  if (q === 0 || q === 1) {
    const [, , low, high] = sums(values, values.length);
    return (q === 0 ? low : high) + 0;
  }
  const place = (values.length - 1) * q;
  const below = Math.floor(place);
  const [low, high] = ranked(values, below);
  return low + (place - below) * (high - low) + 0;
};

/** What is wrong with the parameter `q`, which quantile is meant. */
export const quantileProblem = ({ q }: Params): string | undefined =>
  (q as number) >= 0 && (q as number) <= 1 ? undefined : `"q" must be from 0 to 1, it is ${q}`;
