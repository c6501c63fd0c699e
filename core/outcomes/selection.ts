import type { LabelRequest, OutcomePolicy } from '../contracts/label-request.ts';
import { digestOf } from '../lineage/digest.ts';

/** Units that are drawn by lot: those that stopped in `(after, until]`, each with the chance `share`. */
export type Draw = Pick<LabelRequest, 'after' | 'until' | 'share'>;

/** A policy with every number given. */
export type OutcomeRules = Required<OutcomePolicy>;

const QUOTA = 0.05;

/** What a use case says of its outcomes, completed by the defaults; where every unit is inspected none is drawn by a quota. */
export const outcomeRules = (policy: OutcomePolicy | undefined): OutcomeRules => {
  const inspected = policy?.inspected ?? 'every';
  const quota = inspected === 'every' ? 0 : (policy?.quota ?? QUOTA);
  return {
    inspected,
    quota,
    leastPropensity: inspected === 'every' ? 1 : (policy?.leastPropensity ?? quota),
    onlyMature: policy?.onlyMature ?? false,
  };
};

const HEX_OF_52_BITS = 13;

/**
 * Lot of a unit, uniform in [0, 1): the first 52 bits of a digest of its name and of the package that is judged, so that
 * everybody draws the same and nobody chooses. It says nothing of the unit's outcome.
 */
export const lotOf = (packageDigest: string, unit: string): number =>
  Number.parseInt(
    digestOf({ lot: unit, packageDigest }).slice('sha256:'.length, 'sha256:'.length + HEX_OF_52_BITS),
    16,
  ) /
  2 ** 52;

/** Chance that a unit is drawn which the model did not call failing. @param lastAt when it stopped. */
export const chanceOf = (lastAt: string, rules: OutcomeRules, draws: readonly Draw[]): number =>
  Math.max(
    rules.quota,
    ...draws.filter((d) => (d.after === null || d.after < lastAt) && lastAt <= d.until).map((d) => d.share),
  );

/**
 * The chance with which the outcome of a unit became known, (0, 1]; null where that is not known: nobody drew it, it told
 * by itself, and those who tell are not a fair sample of those who do not.
 */
export const propensityOf = (
  unit: { readonly unit: string; readonly lastAt: string; readonly rejected: boolean },
  packageDigest: string,
  rules: OutcomeRules,
  draws: readonly Draw[],
): number | null => {
  if (rules.inspected === 'every' || unit.rejected) return 1;
  const chance = chanceOf(unit.lastAt, rules, draws);
  return lotOf(packageDigest, unit.unit) < chance ? chance : null;
};

/**
 * Weight of an outcome that became known with some chance, (0, 1]: the inverse of that chance, scaled so that the least
 * one weighs 1. A bet on `x` against the mean `m` with this weight, `1 + λ w (x − m)`, is fair for the mean over all units
 * although only some are seen (Waudby-Smith, Wu, Ramdas, Karampatziakis & Mineiro 2022, "Anytime-valid off-policy
 * inference for contextual bandits").
 * @param least chances below are weighed as if they were this: the weight is bounded, at the price of {@link truncationBias}.
 */
export const weightOf = (propensity: number, least: number): number => Math.min(1, least / propensity);

/** The loss whose plain bet against `mean` is the weighted bet on `loss`: drawn towards the mean, still in [0, 1]. */
export const weighedLoss = (loss: number, weight: number, mean: number): number => mean + weight * (loss - mean);

/**
 * How far bounded weights may move the mean of losses in [0, 1] from that of all units: what is missing of the weight, at most.
 * @param propensities of all units, seen or not. @returns 0 when none is below `least`.
 */
export const truncationBias = (propensities: readonly number[], least: number): number =>
  propensities.length === 0
    ? 0
    : propensities.reduce((sum, p) => sum + Math.max(0, 1 - p / least), 0) / propensities.length;
