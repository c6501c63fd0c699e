import type { BaselineFeature } from '../../contracts/baseline.ts';
import { boundsOf, gammaPQ, guessBounds, noncentralChi2, type Tails } from './noncentral-chi2.ts';

/**
 * Neighbours of one run are alike, so `nm / (n + m) · PSI` of a window does not follow χ² of bins − 1, but a sum of squares
 * of which each direction has a variance of its own (Rao & Scott 1981). `scale · dof` is the sum of these variances,
 * `scale² dof` that of their squares: about `scale` times a χ² of `dof` degrees of freedom (Satterthwaite 1946).
 */
export interface DesignEffect {
  readonly scale: number;
  readonly dof: number;
  /** The variance in the direction in which values move: what grows with a change. Absent: all directions are alike. */
  readonly direction?: number;
}

/** What reference windows say of the sampling of a window. */
export interface ReferenceWindows {
  /** Of the statistic. */
  readonly mean: number;
  readonly variance: number;
  /** Rows of a window, and the mean of each window in standard deviations of the rows; absent: not known. */
  readonly rows?: number;
  readonly means?: readonly number[];
}

/**
 * Variance of means of windows over that of means of independent rows, one standard error above its estimate: what is too
 * low makes the test call more than it should, what is too high only later.
 */
const meanEffect = (rows: number, means: readonly number[]): number => {
  const middle = means.reduce((a, b) => a + b, 0) / means.length;
  const dof = means.length - 1;
  return ((rows * means.reduce((sum, x) => sum + (x - middle) ** 2, 0)) / dof) * (1 + Math.sqrt(2 / dof));
};

/** Degrees of freedom beyond this are rounding: the statistic of a constant feature is the same in every window. */
const MOST_DOF = 2000;

/**
 * Without the means of windows, of a category for example, the direction has the largest variance that the squares allow.
 * @returns null where the windows say nothing.
 */
export const designEffectOf = ({ mean, variance, rows, means }: ReferenceWindows): DesignEffect | null => {
  if (!(mean > 0 && variance > (2 * mean * mean) / MOST_DOF)) return null;
  const scale = variance / (2 * mean);
  const largest = Math.min(mean, Math.sqrt(variance / 2));
  const known = rows !== undefined && means !== undefined && means.length > 1;
  const direction = known ? Math.max(scale, meanEffect(rows, means)) : largest;
  return { scale, dof: (2 * mean * mean) / variance, direction: Math.min(largest, direction) };
};

/** Design effect of a feature of a baseline with windows of so many rows; null where it has none. */
export const designEffectOfFeature = (
  { windowStatistic, windowMeans }: Pick<BaselineFeature, 'windowStatistic' | 'windowMeans'>,
  rows: number,
): DesignEffect | null =>
  windowStatistic === undefined
    ? null
    : designEffectOf({ ...windowStatistic, rows, ...(windowMeans === undefined ? {} : { means: windowMeans }) });

/** Times the variance of independent rows, of a sum that a change moves. */
export const directionOf = (design: DesignEffect | null | undefined): number => design?.direction ?? design?.scale ?? 1;

/** From here on the sum of a noncentral χ² is long, and its three cumulants say the same to three digits. */
const FAR = 1e4;

/**
 * Tails of the statistic by its noncentrality. All directions alike: a noncentral χ². Else by its first three cumulants,
 * Σδ + λ, 2 Σδ² + 4 λ δ₁ and 8 Σδ³ + 24 λ δ₁², with δ₁ the variance in the direction of the change and Σδ³ from what
 * is left of Σδ and Σδ²: a central χ² that has all three (Pearson's approximation, Imhof 1961, §4). With two cumulants
 * alone the level is two to four times what it should be where rows are correlated (bench/drift/groups/tolerance.ts).
 */
export const tailsOf = (x: number, design: DesignEffect): Tails => {
  const { scale, dof } = design;
  if (design.direction === undefined && x < FAR * scale)
    return {
      cdf: (l) => noncentralChi2(x / scale, dof, l / scale).cdf,
      sf: (l) => noncentralChi2(x / scale, dof, l / scale).sf,
    };
  const direction = directionOf(design);
  const [first, second] = [scale * dof, scale * scale * dof];
  const [rest1, rest2] = [first - direction, second - direction * direction];
  const third = direction ** 3 + (rest1 > 0 ? (rest2 * rest2) / rest1 : 0);
  const of = (l: number): readonly [cdf: number, sf: number] => {
    const k2 = 2 * second + 4 * l * direction;
    const k3 = 8 * third + 24 * l * direction * direction;
    const nu = (8 * k2 ** 3) / (k3 * k3);
    return gammaPQ(nu / 2, Math.max(0, nu + ((x - first - l) * Math.sqrt(2 * nu)) / Math.sqrt(k2)) / 2);
  };
  return { cdf: (l) => of(l)[0], sf: (l) => of(l)[1] };
};

/** One-sided bounds of the noncentrality of a statistic, each at level 1 − alpha. */
export const noncentralityWithin = (
  x: number,
  design: DesignEffect,
  alpha: number,
): { readonly lower: number; readonly upper: number } => {
  const direction = directionOf(design);
  const guess = guessBounds(x / direction, (design.scale * design.dof) / direction, alpha);
  return boundsOf(tailsOf(x, design), alpha, { lower: guess.lower * direction, upper: guess.upper * direction });
};
