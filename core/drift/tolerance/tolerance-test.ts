import { psi, sharesOf } from '../effects/psi.ts';
import { type DesignEffect, noncentralityWithin, tailsOf } from './design-effect.ts';

/** With fewer reference windows the design effect is too uncertain for the test to keep its level. */
export const CALIBRATION_WINDOWS = 100;

export interface ToleranceTest {
  /** Share of reference rows in each bin, and how many rows. */
  readonly shares: readonly number[];
  readonly rows: number;
  /** What was counted since, on the same bins. */
  readonly counts: readonly number[];
  /** Population index up to which a change does not matter. */
  readonly tolerance: number;
  /** Probability to call a change that does not matter one that does; also the level of each bound. */
  readonly alpha: number;
  readonly designEffect?: DesignEffect | null;
  /** Reference windows that the design effect was estimated from. */
  readonly windows?: number;
}

export interface ToleranceResult {
  /** As counted; too large on average, the more so the smaller the window. */
  readonly psi: number;
  /** Less what is expected without any change; below 0 when it is less than that. */
  readonly biasCorrected: number;
  /** One-sided bounds of the population index, each at level 1 − alpha. */
  readonly lower: number;
  readonly upper: number;
  /** Of the hypothesis that the population index is at most the tolerance. */
  readonly p: number;
  readonly exceeds: boolean;
  /** False: the level holds only if rows were independent, or the design effect rests on too few windows. */
  readonly calibrated: boolean;
}

/**
 * Is the change larger than what is tolerated? H0: population index ≤ tolerance. `nm / (n + m) · PSI` follows a noncentral
 * χ² with noncentrality `nm / (n + m) · population PSI` (Yurdakul & Naranjo 2020, "Statistical properties of the population
 * stability index"), so one rule serves all window sizes: a large window does not make a small change matter. The bounds
 * are those of small and moderate changes: of an index above 1 in a small window, the half count that each bin has more
 * makes the upper one too low.
 * @throws {RangeError} when the bins differ in number, nothing was counted, or the reference has no rows.
 */
export const toleranceTest = (t: ToleranceTest): ToleranceResult => {
  const bins = t.counts.length;
  const n = t.counts.reduce((a, b) => a + b, 0);
  if (!(t.rows > 0)) throw new RangeError(`tolerance test: expected a reference of at least 1 row, got ${t.rows}`);
  const index = psi(sharesOf(t.shares.map((s) => s * t.rows)), sharesOf(t.counts));
  const design = t.designEffect ?? { scale: 1, dof: Math.max(1, bins - 1) };
  const size = (n * t.rows) / (n + t.rows);
  const { lower, upper } = noncentralityWithin(size * index, design, t.alpha);
  const p = tailsOf(size * index, design).sf(size * t.tolerance);
  return {
    psi: index,
    biasCorrected: index - (design.scale * design.dof) / size,
    lower: lower / size,
    upper: upper / size,
    p,
    exceeds: p < t.alpha,
    calibrated: t.designEffect != null && (t.windows ?? 0) >= CALIBRATION_WINDOWS,
  };
};
