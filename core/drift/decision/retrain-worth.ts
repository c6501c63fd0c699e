import type { DriftPolicy } from '../../contracts/drift.ts';

/** What a retrain would save and what it costs, in the currency of the policy. */
export interface RetrainWorth {
  readonly saves: number;
  readonly costs: number;
  readonly isWorthIt: boolean;
}

/**
 * Whether the loss that a better model would save is worth a retrain: excess loss × outcomes it would serve × cost of a
 * unit of loss, against the cost of the retrain (after UPF, arXiv 2505.14903, and Cara, arXiv 2310.04216).
 * @param excess mean loss of an outcome above the expected one. @returns null when the policy states no cost.
 */
export const retrainWorth = (cost: DriftPolicy['cost'], excess: number): RetrainWorth | null => {
  if (cost === undefined) return null;
  const saves = excess * cost.horizon * cost.perLoss;
  return { saves, costs: cost.retrain, isWorthIt: saves > cost.retrain };
};
