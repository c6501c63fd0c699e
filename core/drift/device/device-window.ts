import type { BaselineFeature, BaselineSpec } from '../../contracts/baseline.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { isFarOff } from '../decision/feature-votes.ts';
import { layoutOf } from '../sketch/cells.ts';
import { poolCells, pooledCounts } from '../sketch/pool.ts';
import { designEffectOfFeature } from '../tolerance/design-effect.ts';
import { CALIBRATION_WINDOWS, toleranceTest } from '../tolerance/tolerance-test.ts';

export interface WindowJudgement {
  readonly state: 'steady' | 'watch' | 'serious';
  /** The feature that surely moved most, its bias-corrected index (0 at least) and the lower bound of that. */
  readonly worstFeature: string;
  readonly psi: number;
  readonly lower: number;
  readonly calibrated: boolean;
  /** Why the window says nothing about drift; null when it does. */
  readonly quality: string | null;
  /** Many features are far off: {@link isFarOff}. */
  readonly farOff: boolean;
  /** Worst first. */
  readonly features: readonly { readonly name: string; readonly psi: number; readonly lower: number }[];
}

const filled = (counts: readonly number[]): number => counts.filter((c) => c > 0).length;

/** Only a feature that fills so many cells in every reference window cannot rest in one: others do when a machine is well. */
const VARYING_CELLS = 5;

/**
 * Why the counts of a feature look like a fault of its sensor: all in one cell, although every window of training filled
 * many. Such a window says nothing about drift. All in an outermost cell is a change all the same: another kind of wear
 * looks like this too, and values that are not possible never get here. Null when nothing is wrong, or training cannot tell.
 */
export const qualityOf = (
  { name, cells, fewestCells }: Pick<BaselineFeature, 'name' | 'cells' | 'fewestCells'>,
  counts: readonly number[],
): string | null => {
  const cell = counts.findIndex((c) => c > 0);
  const isInside = cell > 0 && cell < layoutOf(cells).inner - 1;
  return isInside && filled(counts) === 1 && (fewestCells ?? 0) >= VARYING_CELLS
    ? `${name} does not vary: its sensor may be stuck`
    : null;
};

/**
 * Judges what a device saw against the baseline of its package. The level `alpha` is that of the whole window: each
 * feature is tested at its share of it (Bonferroni). What is not calibrated is watched and never serious.
 * @param counts per feature, in the baseline's cells; features that were not counted are left out.
 */
export const judgeWindow = (
  baseline: BaselineSpec,
  counts: ReadonlyMap<string, readonly number[]>,
  policy: Pick<JudgingPolicy, 'psiWatch' | 'psiSerious' | 'alpha'>,
): WindowJudgement => {
  const seen = baseline.features.flatMap((f) => {
    const counted = counts.get(f.name);
    return counted === undefined ? [] : [{ f, counted }];
  });
  const windows = baseline.windows.count;
  const calibrated = windows >= CALIBRATION_WINDOWS && seen.every(({ f }) => f.windowStatistic !== undefined);
  const features = seen
    .map(({ f, counted }) => {
      const groups = poolCells(f, baseline.windows.rows);
      const { biasCorrected, lower } = toleranceTest({
        shares: pooledCounts(groups, f.counts).map((c) => c / baseline.rows),
        rows: baseline.rows,
        counts: pooledCounts(groups, counted),
        tolerance: policy.psiWatch,
        alpha: policy.alpha / seen.length,
        designEffect: designEffectOfFeature(f, baseline.windows.rows),
        windows,
      });
      return { name: f.name, psi: Math.max(0, biasCorrected), lower };
    })
    .sort((a, b) => b.lower - a.lower || b.psi - a.psi || (a.name < b.name ? -1 : 1));
  const worst = features[0] ?? { name: '', psi: 0, lower: 0 };
  const exceeds = worst.lower > policy.psiSerious ? 'serious' : worst.lower > policy.psiWatch ? 'watch' : 'steady';
  const faults = seen.flatMap(({ f, counted }) => qualityOf(f, counted) ?? []);
  return {
    state: exceeds === 'serious' && !calibrated ? 'watch' : exceeds,
    worstFeature: worst.name,
    psi: worst.psi,
    lower: worst.lower,
    calibrated,
    quality: faults.length === 0 ? null : faults.join('; '),
    farOff: isFarOff(features.map((f) => f.lower)),
    features,
  };
};
