import type { BaselineSpec } from '../../contracts/baseline.ts';
import { oncePer } from '../../policy/once-per.ts';

/** Means of reference windows, apart for each context: what a context shifts is no part of how windows vary. */
export interface WindowMeans {
  /** By feature, less the mean of its context; empty where there are none. */
  readonly within: readonly (readonly number[])[];
  /** Mean of each feature in a context, null where it has none, and of how many windows. */
  readonly contexts: ReadonlyMap<string, { readonly windows: number; readonly means: readonly (number | null)[] }>;
}

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/**
 * Windows stand context after context, in the order of `contexts`, none in two: so many of each as its rows hold. A baseline
 * whose windows are not as many has them as of one context.
 */
export const windowMeansOf = oncePer((baseline: BaselineSpec): WindowMeans => {
  const counts = baseline.contexts.map((c) => ({
    context: c.context,
    windows: Math.floor(c.rows / baseline.windows.rows),
  }));
  const total = counts.reduce((sum, c) => sum + c.windows, 0);
  const all = baseline.features.map((f) => (f.cells.kind === 'numeric' ? (f.windowMeans ?? []) : []));
  const contexts = new Map(counts.map((c) => [c.context, { windows: c.windows, means: [] as (number | null)[] }]));
  const within = all.map((means) => {
    if (means.length === 0 || total !== means.length) {
      for (const c of contexts.values()) c.means.push(null);
      const middle = means.length > 0 ? mean(means) : 0;
      return means.map((m) => m - middle);
    }
    let from = 0;
    return counts.flatMap(({ context, windows }) => {
      const part = means.slice(from, from + windows);
      from += windows;
      const middle = part.length > 0 ? mean(part) : null;
      contexts.get(context)?.means.push(middle);
      return part.map((m) => m - (middle ?? 0));
    });
  });
  return { within, contexts };
});
