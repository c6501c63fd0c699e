import { gaussLegendre } from '../limits/gauss-legendre.ts';
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

/** Shares of the rows on each stretch, and how many independent rows they were counted from. */
export interface Sampled {
  readonly shares: readonly number[];
  readonly rows: number;
}

/** On [0, 1]; the square root of what is 0 at an end is known to a thousandth. */
const NODES = gaussLegendre(6, 0, 1);

/**
 * What bounds the distance that sampling alone makes of one distribution or between two: its mean
 * √(2/π) ∫ √(Σ F (1 − F) / n) (Bobkov & Ledoux 2019, "One-dimensional empirical measures", §3), and the root of Σ σ² / n, which
 * its fluctuation about the mean does not exceed (Gaussian isoperimetry: Borell 1975). Each side varies as itself: a
 * window that spreads farther than its reference has a larger part in both.
 */
export const samplingDistance = (
  { stretches }: Curve,
  sides: readonly Sampled[],
): { readonly mean: number; readonly sd: number } => {
  const origin = (stretches[0] as { from: number }).from;
  const below = sides.map(() => 0);
  const first = sides.map(() => 0);
  const second = sides.map(() => 0);
  let area = 0;
  for (let i = 0; i < stretches.length; i++) {
    const { from, width } = stretches[i] as { from: number; width: number };
    if (width > 0)
      for (const [at, weight] of NODES) {
        let variance = 0;
        for (const [side, { shares, rows }] of sides.entries()) {
          const f = (below[side] as number) + at * (shares[i] as number);
          variance += Math.max(0, f * (1 - f)) / rows;
        }
        area += weight * width * Math.sqrt(variance);
      }
    const middle = from - origin + width / 2;
    for (const [side, { shares }] of sides.entries()) {
      const share = shares[i] as number;
      first[side] = (first[side] as number) + share * middle;
      second[side] = (second[side] as number) + share * (middle * middle + (width * width) / 12);
      below[side] = (below[side] as number) + share;
    }
  }
  const variance = sides.reduce(
    (sum, { rows }, side) => sum + Math.max(0, (second[side] as number) - (first[side] as number) ** 2) / rows,
    0,
  );
  return { mean: Math.sqrt(2 / Math.PI) * area, sd: Math.sqrt(variance) };
};
