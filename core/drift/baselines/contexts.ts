import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { Counts } from './counts.ts';
import { fixedCounts } from './fixed.ts';
import { shrunk } from './shrink.ts';

/** Training rows of one context (recipe, tool, cavity), shrunk to all of them; null when training did not know it. */
export const contextCounts = (baseline: BaselineSpec, context: string, designs?: readonly number[]): Counts | null => {
  const known = baseline.contexts.find((c) => c.context === context);
  return known === undefined ? null : shrunk(known.counts, fixedCounts(baseline), designs);
};
