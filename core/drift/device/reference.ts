import type { BaselineSpec } from '../../contracts/baseline.ts';
import { onceEach } from '../../policy/once-each.ts';
import { oncePer } from '../../policy/once-per.ts';
import { contextCounts } from '../baselines/contexts.ts';
import type { Counts } from '../baselines/counts.ts';
import { fixedCounts } from '../baselines/fixed.ts';
import { isLearned } from '../baselines/learned.ts';
import { perAssetCounts } from '../baselines/per-asset.ts';
import { type Season, seasonCell, seasonContext } from '../baselines/seasonal.ts';
import type { DeviceState } from './device-state.ts';
import { designsOf } from './judge-features.ts';
import { windowMeansOf } from './window-means.ts';

/** What a window is held against. */
export interface Reference {
  readonly against: 'fixed' | 'context' | 'season' | 'own';
  readonly counts: Counts;
}

/** Under which name a window is remembered: its context, and the cell of the season if inputs follow it. */
export const keyOf = (
  { context, from, to }: { readonly context: string; readonly from: string; readonly to: string },
  season: Season | null,
): string => (season === null ? context : seasonContext(context, seasonCell(from, to, season)));

const countsByContext = oncePer((baseline: BaselineSpec) =>
  onceEach((name: string) => contextCounts(baseline, name, designsOf(baseline))),
);

/**
 * What the package has for a window: its cell of the season, else its context, else all of training where that knew no contexts.
 * @returns null for a context that training did not know.
 */
export const packageReference = (baseline: BaselineSpec, context: string, key: string): Reference | null => {
  const ofContext = countsByContext(baseline);
  const season = key === context ? null : ofContext(key);
  if (season !== null) return { against: 'season', counts: season };
  const counts = ofContext(context);
  if (counts !== null) return { against: 'context', counts };
  const knowsContexts = baseline.contexts.some((c) => c.context !== key && !c.context.startsWith(`${context}-`));
  return knowsContexts ? null : { against: 'fixed', counts: fixedCounts(baseline) };
};

/** What the device learned of itself, shrunk to what the package has; null when it learned nothing. */
export const ownReference = (
  baseline: BaselineSpec,
  state: DeviceState,
  key: string,
  of: Reference | null,
): Reference | null => {
  const own = state.own[key];
  return own !== undefined && isLearned(own)
    ? { against: 'own', counts: perAssetCounts(own, of?.counts ?? fixedCounts(baseline), designsOf(baseline)) }
    : null;
};

/** Where means of windows should be that are held against a reference, and of how many windows that is known. */
export interface Center {
  readonly windows: number;
  readonly means: readonly (number | null)[];
}

/** @param overall mean of each feature over all reference windows, null where it has none: limits know how sure it is. */
export const centerOf = (
  baseline: BaselineSpec,
  state: DeviceState,
  { reference, key, context }: { readonly reference: Reference; readonly key: string; readonly context: string },
  overall: readonly (number | null)[],
): Center => {
  const own = state.own[key];
  if (reference.against === 'own' && own !== undefined) return { windows: own.windows, means: own.center };
  if (reference.against === 'fixed') return { windows: Number.POSITIVE_INFINITY, means: overall };
  const name = reference.against === 'season' ? key : context;
  return windowMeansOf(baseline).contexts.get(name) ?? { windows: 0, means: [] };
};
