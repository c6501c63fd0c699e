import type { BaselineSpec } from '../../contracts/baseline.ts';
import { oncePer } from '../../policy/once-per.ts';
import type { Counts } from './counts.ts';

/** What the model learned from, frozen with it: the only baseline whose word may ask for a retrain. The same object each time. */
export const fixedCounts: (baseline: BaselineSpec) => Counts = oncePer(({ features }: BaselineSpec) =>
  features.map((f) => f.counts),
);
