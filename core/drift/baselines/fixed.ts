import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { Counts } from './counts.ts';

const counted = new WeakMap<BaselineSpec, Counts>();

/** What the model learned from, frozen with it: the only baseline whose word may ask for a retrain. The same object each time. */
export const fixedCounts = (baseline: BaselineSpec): Counts => {
  const counts = counted.get(baseline) ?? baseline.features.map((f) => f.counts);
  counted.set(baseline, counts);
  return counts;
};
