import { oncePer } from '../../policy/once-per.ts';
import type { GroupedBaseline } from '../baselines/seasonal.ts';

/** Means of reference windows, apart for each context: what a context shifts is no part of how windows vary. */
export interface WindowMeans {
  /** By feature, less the mean of its context; empty where there are none. */
  readonly within: readonly (readonly number[])[];
  /** Mean of each feature in a context, null where it has none, and of how many windows. */
  readonly contexts: ReadonlyMap<string, { readonly windows: number; readonly means: readonly (number | null)[] }>;
}

const mean = (x: readonly number[]): number => x.reduce((a, b) => a + b, 0) / x.length;

/** Windows stand context after context, as many of each as it says or its rows hold, where they are not told apart one by one. */
const groupsOf = ({ groups, contexts, windows }: GroupedBaseline): readonly number[] =>
  groups ?? contexts.flatMap((c, i) => new Array<number>(c.windows ?? Math.floor(c.rows / windows.rows)).fill(i));

/**
 * Of windows in their order, none in two contexts. A baseline whose windows are not as many as its contexts account for has
 * them as of one.
 */
export const windowMeansOf = oncePer((baseline: GroupedBaseline): WindowMeans => {
  const groups = groupsOf(baseline);
  const of = baseline.contexts.map((_, i) => groups.flatMap((g, w) => (g === i ? [w] : [])));
  const means: (number | null)[][] = of.map(() => []);
  const within = baseline.features.map((f) => {
    const all = f.cells.kind === 'numeric' ? (f.windowMeans ?? []) : [];
    if (all.length === 0 || groups.length !== all.length) {
      for (const m of means) m.push(null);
      const middle = all.length > 0 ? mean(all) : 0;
      return all.map((m) => m - middle);
    }
    const away = [...all];
    for (const [i, windows] of of.entries()) {
      const middle = windows.length > 0 ? mean(windows.map((w) => all[w] as number)) : null;
      means[i]?.push(middle);
      // Few windows lie nearer to their own mean than to that of all there could be.
      const wider = baseline.groups === undefined ? 1 : Math.sqrt(windows.length / Math.max(1, windows.length - 1));
      for (const w of windows) away[w] = wider * ((all[w] as number) - (middle ?? 0));
    }
    return away;
  });
  const contexts = baseline.contexts.map(
    (c, i) => [c.context, { windows: of[i]?.length ?? 0, means: means[i] ?? [] }] as const,
  );
  return { within, contexts: new Map(contexts) };
});
