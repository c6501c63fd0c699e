import type { BaselineSpec } from '../../contracts/baseline.ts';
import type { Season } from '../../contracts/season.ts';
import { onceEach } from '../../policy/once-each.ts';
import { oncePer } from '../../policy/once-per.ts';
import { contextCounts } from '../baselines/contexts.ts';
import type { Counts } from '../baselines/counts.ts';
import { fixedCounts } from '../baselines/fixed.ts';
import { isLearned } from '../baselines/learned.ts';
import { perAssetCounts } from '../baselines/per-asset.ts';
import { isSameSeason, seasonCell, seasonContext, seasonView } from '../baselines/seasonal.ts';
import type { DeviceState } from './device-state.ts';
import { designsOf } from './judge-features.ts';
import { windowMeansOf } from './window-means.ts';

/** What a window is held against. */
export interface Reference {
  readonly against: 'fixed' | 'context' | 'season' | 'own';
  readonly counts: Counts;
  /** Whose reference windows say by how much such windows differ anyway. */
  readonly baseline: BaselineSpec;
}

/** Where in the season a window lies, by a package that knows its cells. */
export interface Place {
  /** Null for a window of more than a day. */
  readonly cell: string | null;
  /** The baseline as its cells see it. */
  readonly view: BaselineSpec;
}

/** @returns null where the policy has no season, or training was told of none or of another. */
export const placeOf = (
  baseline: BaselineSpec,
  { from, to }: { readonly from: string; readonly to: string },
  season: Season | null,
): Place | null => {
  const view = seasonal(baseline, season);
  return season === null || view === null ? null : { cell: seasonCell(from, to, season), view };
};

/** The baseline as the cells of a season see it; null where it has none of that season. */
export const seasonal = (baseline: BaselineSpec, season: Season | null): BaselineSpec | null =>
  season !== null && baseline.season !== undefined && isSameSeason(season, baseline.season.of)
    ? seasonView(baseline)
    : null;

/** Under which name a window is remembered: its context, and its cell of the season. */
export const keyOf = (context: string, place: Place | null): string =>
  place?.cell == null ? context : seasonContext(context, place.cell);

const countsByContext = oncePer((baseline: BaselineSpec) =>
  onceEach((name: string) => contextCounts(baseline, name, designsOf(baseline))),
);

/**
 * What the package has for a window: its cell of the season, else its context, else all of training where that knew no contexts.
 * @returns null for a context that training did not know.
 */
export const packageReference = (baseline: BaselineSpec, context: string, place: Place | null): Reference | null => {
  const cell = place?.cell == null ? null : countsByContext(place.view)(keyOf(context, place));
  if (cell !== null && place !== null) return { against: 'season', counts: cell, baseline: place.view };
  const counts = countsByContext(baseline)(context);
  if (counts !== null) return { against: 'context', counts, baseline };
  return baseline.contexts.length > 0 ? null : { against: 'fixed', counts: fixedCounts(baseline), baseline };
};

/** What the device learned of itself, shrunk to what the package has; null when it learned nothing. */
export const ownReference = (
  baseline: BaselineSpec,
  state: DeviceState,
  { key, place, packaged }: { readonly key: string; readonly place: Place | null; readonly packaged: Reference | null },
): Reference | null => {
  const own = state.own[key];
  if (own === undefined || !isLearned(own)) return null;
  const by = place?.cell == null ? baseline : place.view;
  const fleet = packaged?.counts ?? fixedCounts(baseline);
  return { against: 'own', counts: perAssetCounts(own, fleet, designsOf(by)), baseline: by };
};

/** Where means of windows should be that are held against a reference, and of how many windows that is known. */
export interface Center {
  readonly windows: number;
  readonly means: readonly (number | null)[];
}

/** Charts wait: none of their windows is held against such a reference. */
const NOWHERE: Center = { windows: 0, means: [] };

/** @param overall mean of each feature over all reference windows, null where it has none: limits know how sure it is. */
export const centerOf = (
  state: DeviceState,
  { reference, key, place }: { readonly reference: Reference; readonly key: string; readonly place: Place | null },
  overall: readonly (number | null)[],
): Center => {
  // Of all the day windows differ by more than charts of one cell allow for.
  if (place !== null && reference.baseline !== place.view) return NOWHERE;
  const own = state.own[key];
  if (reference.against === 'own' && own !== undefined) return { windows: own.windows, means: own.center };
  if (reference.against === 'fixed') return { windows: Number.POSITIVE_INFINITY, means: overall };
  return windowMeansOf(reference.baseline).contexts.get(key) ?? NOWHERE;
};
