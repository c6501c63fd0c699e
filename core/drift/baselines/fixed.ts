import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { Counts } from './counts.ts';

/** What the model learned from, frozen with it: the only baseline whose word may ask for a retrain. */
export const fixedCounts = (baseline: BaselineSpec): Counts => baseline.features.map((f) => f.counts);
