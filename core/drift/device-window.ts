import type { Baseline } from '../contracts/model-package.ts';
import type { JudgingPolicy } from '../contracts/use-case.ts';
import { isFarOff } from './feature-votes.ts';
import { CALIBRATION_WINDOWS, designEffectOf, toleranceTest } from './tolerance-test.ts';

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

type BaselineFeature = Baseline['features'][number];

const filled = (counts: readonly number[]): number => counts.filter((c) => c > 0).length;

/** A baseline with fewer filled bins may well be constant in a window. */
const VARYING_BINS = 4;

/**
 * Why the counts of a feature look like a fault of its sensor: all in one bin, although training filled many and no
 * reference window was so narrow. Such a window says nothing about drift. Null when they do not.
 */
export const qualityOf = ({ name, shares, fewestBins }: BaselineFeature, counts: readonly number[]): string | null => {
  if (filled(counts) > 1 || filled(shares) < VARYING_BINS || fewestBins === 1) return null;
  const bin = counts.findIndex((c) => c > 0);
  const outermost = bin === 0 ? 'below' : bin === counts.length - 1 ? 'above' : null;
  return outermost === null
    ? `${name} does not vary: its sensor may be stuck`
    : `${name} is ${outermost} nearly all that training saw, all the time: its sensor may be broken or scaled otherwise`;
};

/**
 * Judges what a device saw against the baseline of its package. The level `alpha` is that of the whole window: each
 * feature is tested at its share of it (Bonferroni). What is not calibrated is watched and never serious.
 * @param counts per feature, on the baseline's bins; features that were not counted are left out.
 */
export const judgeWindow = (
  baseline: Baseline,
  counts: ReadonlyMap<string, readonly number[]>,
  policy: Pick<JudgingPolicy, 'psiWatch' | 'psiSerious' | 'alpha'>,
): WindowJudgement => {
  const seen = baseline.features.flatMap((f) => {
    const counted = counts.get(f.name);
    return counted === undefined ? [] : [{ f, counted }];
  });
  const windows = baseline.windows?.count ?? 0;
  const calibrated = windows >= CALIBRATION_WINDOWS && seen.every(({ f }) => f.windowStatistic !== undefined);
  const features = seen
    .map(({ f, counted }) => {
      const { biasCorrected, lower } = toleranceTest({
        shares: f.shares,
        rows: baseline.rows,
        counts: counted,
        tolerance: policy.psiWatch,
        alpha: policy.alpha / seen.length,
        designEffect: f.windowStatistic === undefined ? null : designEffectOf(f.windowStatistic),
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
