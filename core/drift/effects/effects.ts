import type { BaselineFeature } from '../../contracts/baseline.ts';
import { type DesignEffect, directionOf, noncentralityWithin } from '../tolerance/design-effect.ts';
import { normalUpper } from '../tolerance/normal.ts';
import { curveOf, placedRows, quantileOn, sharesOn } from './curve.ts';
import { jensenShannon } from './jensen-shannon.ts';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
import { samplingDistance, wasserstein } from './wasserstein.ts';

/** Less what sampling alone makes, 0 at least; with one-sided bounds, each at level 1 − alpha. */
export interface Effect {
  readonly value: number;
  readonly lower: number;
  readonly upper: number;
}

/** How large a change is, whatever its significance; the index of stability is the tolerance test's. */
export interface Effects {
  /** Jensen–Shannon distance, base 2, 0 to 1. */
  readonly js: Effect;
  /** Wasserstein distance over the interquartile range of the reference; null for a category and without any number. */
  readonly wasserstein: Effect | null;
  /** Kolmogorov–Smirnov D, 0 to 1; null as above. */
  readonly ks: Effect | null;
}

export interface CountedCells {
  readonly reference: readonly number[];
  readonly counts: readonly number[];
}

/** What is known of the sampling of a window. */
export interface Sampling {
  /** Level of each bound is 1 − alpha. */
  readonly alpha: number;
  readonly designEffect?: DesignEffect | null;
}

/** 8 ln 2 · size · divergence follows about a χ², as size · PSI does: both are the same quadratic form for small changes. */
const JS_TO_CHI2 = 8 * Math.LN2;
/** Mean of Kolmogorov's limit: √(π / 2) ln 2. */
const KS_MEAN = Math.sqrt(Math.PI / 2) * Math.LN2;
/** Interquartile range of a normal distribution, in standard deviations. */
const NORMAL_IQR = 1.3489795;

const total = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
const sizeOf = (n: number, m: number): number => (n * m) / (n + m);

/** Distances of first order are corrected in squares: near nothing sampling adds to the square, far from it nearly nothing. */
const lessBias = (value: number, bias: number): number => Math.sqrt(Math.max(0, value * value - bias * bias));

/** Shares as counted: an empty cell is no infinity here. */
const plain = (counts: readonly number[]): number[] => {
  const sum = total(counts);
  if (!(sum > 0)) throw new RangeError('effects: nothing was counted; expected at least one row on each side');
  return counts.map((c) => c / sum);
};

/** Variance of the slope of the divergence in the shares q, over one row of q: the delta method. */
const slopeVariance = (p: readonly number[], q: readonly number[]): number => {
  let mean = 0;
  let square = 0;
  for (let i = 0; i < q.length; i++) {
    const share = q[i] as number;
    if (share === 0) continue;
    const slope = Math.log2((2 * share) / (share + (p[i] as number))) / 2;
    mean += share * slope;
    square += share * slope * slope;
  }
  return Math.max(0, square - mean * mean);
};

const jensenShannonEffect = ({ reference, counts }: CountedCells, { alpha, designEffect }: Sampling): Effect => {
  const [p, q] = [plain(reference), plain(counts)];
  const divergence = jensenShannon(p, q);
  const [n, m] = [total(counts), total(reference)];
  const size = JS_TO_CHI2 * sizeOf(n, m);
  const used = counts.filter((c, i) => c > 0 || (reference[i] as number) > 0).length;
  const design = designEffect ?? { scale: 1, dof: Math.max(1, used - 1) };
  const unbiased = Math.max(0, divergence - (design.scale * design.dof) / size);
  const near = noncentralityWithin(size * divergence, design, alpha);
  const reach =
    normalUpper(alpha) * Math.sqrt(directionOf(designEffect) * (slopeVariance(p, q) / n + slopeVariance(q, p) / m));
  return {
    value: Math.sqrt(unbiased),
    lower: Math.sqrt(Math.max(0, Math.min(near.lower / size, unbiased - reach))),
    upper: Math.sqrt(Math.min(1, Math.max(near.upper / size, unbiased + reach))),
  };
};

/**
 * Effect sizes of what was counted against the reference, without resampling.
 * Jensen–Shannon: noncentral χ² near nothing, the delta method far from it, the wider of both. Kolmogorov–Smirnov: Dvoretzky–Kiefer–Wolfowitz band with Massart's constant (1990).
 * Wasserstein: mean and fluctuation of the sampling distance ({@link samplingDistance}). The last two hold for any change,
 * since a distance errs by no more than the distance that sampling alone makes; so they are wider than need be.
 * @param pooled the same rows on cells that are large enough for χ²; given where the design effect was estimated on such.
 * @throws {RangeError} when nothing was counted, or on other cells.
 */
export const effectsOf = (
  {
    cells,
    reference,
    counts,
    pooled,
  }: CountedCells & Pick<BaselineFeature, 'cells'> & { readonly pooled?: CountedCells },
  sampling: Sampling,
): Effects => {
  if (reference.length !== counts.length)
    throw new RangeError(
      `effects: ${reference.length} baseline cells but ${counts.length} counted ones; they must be the same`,
    );
  const js = jensenShannonEffect(pooled ?? { reference, counts }, sampling);
  if (cells.kind === 'category') return { js, wasserstein: null, ks: null };
  const curve = curveOf(cells);
  const [p, q] = [sharesOn(curve, reference), sharesOn(curve, counts)];
  if (p === null || q === null) return { js, wasserstein: null, ks: null };
  const { alpha, designEffect } = sampling;
  const [n, m] = [counts, reference].map((c) => placedRows(curve, c) / directionOf(designEffect)) as [number, number];
  const root = Math.sqrt(sizeOf(n, m));
  const d = kolmogorovSmirnov(p, q);
  const band = Math.sqrt(Math.log(2 / alpha) / 2) / root;
  const iqr = quantileOn(curve, p, 0.75) - quantileOn(curve, p, 0.25) || NORMAL_IQR * cells.scale;
  const moved = wasserstein(curve, p, q) / iqr;
  const unchanged = samplingDistance(curve, [{ shares: p, rows: root * root }]);
  const { mean, sd } = samplingDistance(curve, [
    { shares: p, rows: m },
    { shares: q, rows: n },
  ]);
  const reach = (mean + normalUpper(alpha) * sd) / iqr;
  return {
    js,
    wasserstein: {
      value: lessBias(moved, unchanged.mean / iqr),
      lower: Math.max(0, moved - reach),
      upper: moved + reach,
    },
    ks: { value: lessBias(d, KS_MEAN / root), lower: Math.max(0, d - band), upper: Math.min(1, d + band) },
  };
};
