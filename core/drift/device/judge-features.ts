import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { FeatureSketch } from '../../contracts/drift.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { oncePer } from '../../policy/once-per.ts';
import type { Counts } from '../baselines/counts.ts';
import { fixedCounts } from '../baselines/fixed.ts';
import { type Effects, effectsOf } from '../effects/effects.ts';
import { psi, sharesOf } from '../effects/psi.ts';
import { poolCells, pooledCounts } from '../sketch/pool.ts';
import { type DesignEffect, designEffectOfFeature } from '../tolerance/design-effect.ts';
import { noncentralityBounds } from '../tolerance/noncentral-chi2.ts';
import { CALIBRATION_WINDOWS, toleranceTest } from '../tolerance/tolerance-test.ts';
import { windowMeansOf } from './window-means.ts';

/** One feature of a window against its reference. */
export interface JudgedFeature {
  /** Which of the baseline's. */
  readonly index: number;
  readonly name: string;
  /** Bias-corrected, 0 at least; with bounds, each at the feature's share of the level. */
  readonly psi: number;
  readonly lower: number;
  readonly upper: number;
  /** Of the hypothesis that the index is at most `psiWatch`. */
  readonly p: number;
}

const total = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);

const groupsOf = new WeakMap<Counts, readonly (readonly number[])[]>();
/**
 * Cells that are tested together, by what the reference has in them: a context has hardly any rows in cells that are common
 * in others, and χ² does not hold there.
 */
const pooled = ({ features, windows }: BaselineSpec, reference: Counts): readonly (readonly number[])[] => {
  const known = groupsOf.get(reference);
  if (known !== undefined) return known;
  const groups = features.map((f, i) => poolCells({ cells: f.cells, counts: [...(reference[i] ?? [])] }, windows.rows));
  groupsOf.set(reference, groups);
  return groups;
};

interface Design {
  readonly effect: DesignEffect | null;
  /** Groups of cells that it was estimated on. */
  readonly groups: number;
}
const estimated = oncePer((baseline: BaselineSpec): readonly Design[] => {
  const groups = pooled(baseline, fixedCounts(baseline));
  return baseline.features.map(({ windowStatistic }, i) => {
    const means = windowMeansOf(baseline).within[i] ?? [];
    const of = means.length > 0 ? { windowMeans: [...means] } : {};
    const statistic = windowStatistic === undefined ? {} : { windowStatistic };
    const effect = designEffectOfFeature({ ...statistic, ...of }, baseline.windows.rows);
    return { effect, groups: Math.max(...(groups[i] as readonly number[])) + 1 };
  });
});

/** On fewer groups there are fewer directions, each with the variance it had. */
const designOf = (baseline: BaselineSpec, index: number, groups: number): DesignEffect | null => {
  const { effect, groups: of } = estimated(baseline)[index] as Design;
  if (effect === null || groups === of || of < 2 || groups < 2) return effect;
  const dof = (effect.dof * (groups - 1)) / (of - 1);
  const largest = effect.scale * Math.sqrt(dof);
  const most = Math.min(largest, effect.scale * dof);
  return { ...effect, dof, ...(effect.direction === undefined ? {} : { direction: Math.min(most, effect.direction) }) };
};

/** By how much χ² of a window of each feature is larger than that of independent rows. */
export const designsOf = (baseline: BaselineSpec): readonly number[] =>
  baseline.features.map((f, i) => {
    const { groups } = estimated(baseline)[i] as Design;
    return Math.max(1, (f.windowStatistic?.mean ?? 1) / Math.max(1, groups - 1));
  });

/**
 * Reference windows that say by how much windows differ anyway: those with as many other rows of their context at least to be
 * held against, as the trainer takes them.
 */
const comparedWindows = ({ contexts, windows }: BaselineSpec): number => {
  if (contexts.length === 0) return windows.count;
  const compared = contexts
    .filter((c) => c.rows >= 2 * windows.rows)
    .reduce((sum, c) => sum + (c.windows ?? Math.floor(c.rows / windows.rows)), 0);
  return Math.min(windows.count, compared);
};

/** Whether the tests of windows keep their level: enough reference windows say by how much windows differ anyway. */
export const isCalibrated = (baseline: BaselineSpec): boolean =>
  comparedWindows(baseline) >= CALIBRATION_WINDOWS && baseline.features.every((f) => f.windowStatistic !== undefined);

/**
 * Tests each feature of a window against a reference on the same cells. Values that are missing or not numbers are left
 * out; so is a feature of which nothing else was counted.
 * @param reference by feature of the baseline. @param alpha level of the whole window: each feature gets its share.
 * @returns worst first.
 */
export const judgeFeatures = (
  baseline: BaselineSpec,
  reference: Counts,
  sketches: ReadonlyMap<string, FeatureSketch>,
  { psiWatch, alpha }: Pick<JudgingPolicy, 'psiWatch' | 'alpha'>,
): readonly JudgedFeature[] =>
  baseline.features
    .flatMap((f, index): JudgedFeature[] => {
      const sketch = sketches.get(f.name);
      if (sketch === undefined) return [];
      const groups = pooled(baseline, reference)[index] as readonly number[];
      const counts = pooledCounts(groups, sketch.counts);
      const before = pooledCounts(groups, reference[index] as readonly number[]);
      const rows = total(before);
      if (total(counts) === 0 || rows === 0) return [];
      const { biasCorrected, lower, upper, p } = toleranceTest({
        shares: before.map((c) => c / rows),
        rows,
        counts,
        tolerance: psiWatch,
        alpha: alpha / baseline.features.length,
        designEffect: designOf(baseline, index, counts.length),
        windows: comparedWindows(baseline),
      });
      return [{ index, name: f.name, psi: Math.max(0, biasCorrected), lower, upper, p }];
    })
    .sort((a, b) => b.lower - a.lower || b.psi - a.psi || a.index - b.index);

/** How far one feature moved, by other measures. @throws {RangeError} when nothing was counted. */
export const effectsOfFeature = (
  baseline: BaselineSpec,
  reference: Counts,
  sketch: FeatureSketch,
  index: number,
  alpha: number,
): Effects => {
  const groups = pooled(baseline, reference)[index] as readonly number[];
  const before = reference[index] as readonly number[];
  return effectsOf(
    {
      cells: (baseline.features[index] as BaselineSpec['features'][number]).cells,
      reference: before,
      counts: sketch.counts,
      pooled: { reference: pooledCounts(groups, before), counts: pooledCounts(groups, sketch.counts) },
    },
    { alpha, designEffect: designOf(baseline, index, Math.max(...groups) + 1) },
  );
};

/**
 * Upper bound of the mean index of all features between a window and a reference: how far they may be apart. The mean of
 * the statistics is held against the distribution of one, which is wider.
 */
export const distanceTo = (
  baseline: BaselineSpec,
  reference: Counts,
  sketches: ReadonlyMap<string, FeatureSketch>,
  alpha: number,
): number => {
  const parts = baseline.features.flatMap((f, index) => {
    const sketch = sketches.get(f.name);
    if (sketch === undefined) return [];
    const groups = pooled(baseline, reference)[index] as readonly number[];
    const counts = pooledCounts(groups, sketch.counts);
    const before = pooledCounts(groups, reference[index] as readonly number[]);
    const [n, m] = [total(counts), total(before)];
    if (n === 0 || m === 0) return [];
    const { scale, dof } = designOf(baseline, index, counts.length) ?? {
      scale: 1,
      dof: Math.max(1, counts.length - 1),
    };
    return [{ size: (n * m) / (n + m) / scale, psi: psi(sharesOf(before), sharesOf(counts)), dof }];
  });
  if (parts.length === 0) return Number.POSITIVE_INFINITY;
  const mean = (of: (p: (typeof parts)[number]) => number): number =>
    parts.reduce((s, p) => s + of(p), 0) / parts.length;
  const size = mean((p) => p.size);
  return (
    noncentralityBounds(
      mean((p) => p.size * p.psi),
      mean((p) => p.dof),
      alpha,
    ).upper / size
  );
};
