import type { Curve } from './curve.ts';

/** ∫ |d| over a stretch on which the difference d goes evenly from one value to another. */
const between = (from: number, to: number, width: number): number => {
  const [a, b] = [Math.abs(from), Math.abs(to)];
  if (from * to >= 0) return (width * (a + b)) / 2;
  return (width * (a * a + b * b)) / (2 * (a + b));
};

/**
 * Wasserstein distance of order 1: how far rows must be moved on average to turn one distribution into the other, in
 * units of the axis; the area between the two distribution functions.
 * @param p, q shares on the stretches of the axis ({@link sharesOn}).
 */
export const wasserstein = ({ stretches }: Curve, p: readonly number[], q: readonly number[]): number => {
  let difference = 0;
  let area = 0;
  for (let i = 0; i < stretches.length; i++) {
    const after = difference + (q[i] as number) - (p[i] as number);
    area += between(difference, after, (stretches[i] as { width: number }).width);
    difference = after;
  }
  return area;
};

/**
 * What bounds the distance that sampling alone makes, times the root of the sample size: its mean
 * √(2/π) ∫ √(F (1 − F)) (Bobkov & Ledoux 2019, "One-dimensional empirical measures", §3), and the standard deviation of
 * the distribution, which its fluctuation about the mean does not exceed (Gaussian isoperimetry: Borell 1975).
 */
export const samplingDistance = (
  { stretches }: Curve,
  p: readonly number[],
): { readonly mean: number; readonly sd: number } => {
  let below = 0;
  let area = 0;
  let first = 0;
  let second = 0;
  const origin = (stretches[0] as { from: number }).from;
  const root = (f: number): number => Math.sqrt(Math.max(0, f * (1 - f)));
  for (let i = 0; i < stretches.length; i++) {
    const { from, width } = stretches[i] as { from: number; width: number };
    const share = p[i] as number;
    // Simpson's rule on each stretch.
    area += (width * (root(below) + 4 * root(below + share / 2) + root(below + share))) / 6;
    const middle = from - origin + width / 2;
    first += share * middle;
    second += share * (middle * middle + (width * width) / 12);
    below += share;
  }
  return { mean: Math.sqrt(2 / Math.PI) * area, sd: Math.sqrt(Math.max(0, second - first * first)) };
};
