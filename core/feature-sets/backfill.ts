import type { BackfillItem, FeatureSetRecord } from '../contracts/feature-store.ts';
import type { RawObjectRecord } from '../contracts/lake.ts';
import { compareText } from '../text/compare.ts';

export interface BackfillRequest {
  readonly backfillId: string;
  readonly featureSetDigest: string;
  readonly site: string;
  readonly from: string;
  readonly to: string;
  readonly asset: string | null;
}

export interface BackfillPlan {
  readonly items: readonly BackfillItem[];
  readonly objects: number;
  readonly frames: number;
  /** `asset/run` of the runs that have work, sorted. */
  readonly runs: readonly string[];
}

/** What one part reads at most: frames and compressed bytes fit the memory of a function, minutes its time. */
const PART_FRAMES = 20_000;
const PART_BYTES = 16 * 1024 * 1024;

/**
 * Cuts a backfill into parts: neighbouring frames of one run, so that few frames are read twice for their windows. An
 * object that lacks a signal of the feature set is of another kind of machine; one whose times are all outside of the
 * days gives no rows, and where its times are not known it is looked at. The same objects in any order give the same parts.
 */
export const planBackfill = (
  request: BackfillRequest,
  signals: FeatureSetRecord['signals'],
  objects: readonly RawObjectRecord[],
): BackfillPlan => {
  const inside = (o: RawObjectRecord): boolean =>
    (o.firstAt ?? request.to).slice(0, 10) <= request.to && (o.lastAt ?? request.from).slice(0, 10) >= request.from;
  const chosen = objects
    .filter((o) => o.site === request.site && o.frames > 0 && (request.asset ?? o.asset) === o.asset)
    .filter((o) => signals.every((s) => o.signals.includes(s.name)))
    .filter(inside)
    .sort(
      (a, b) =>
        compareText(a.asset, b.asset) ||
        compareText(a.run, b.run) ||
        a.firstIndex - b.firstIndex ||
        compareText(a.key, b.key),
    );
  const items: BackfillItem[] = [];
  let open: { asset: string; run: string; first: number; last: number; frames: number; bytes: number } | null = null;
  const close = (): void => {
    if (open === null) return;
    const { asset, run, first, last } = open;
    const { backfillId, featureSetDigest, site, from, to } = request;
    items.push({ backfillId, part: items.length, featureSetDigest, site, asset, run, first, last, from, to });
    open = null;
  };
  for (const o of chosen) {
    if (
      open !== null &&
      (open.asset !== o.asset ||
        open.run !== o.run ||
        open.frames + o.frames > PART_FRAMES ||
        open.bytes + o.bytes > PART_BYTES)
    )
      close();
    open ??= { asset: o.asset, run: o.run, first: o.firstIndex, last: o.lastIndex, frames: 0, bytes: 0 };
    open.last = Math.max(open.last, o.lastIndex);
    open.frames += o.frames;
    open.bytes += o.bytes;
  }
  close();
  return {
    items,
    objects: chosen.length,
    frames: chosen.reduce((sum, o) => sum + o.frames, 0),
    runs: [...new Set(chosen.map((o) => `${o.asset}/${o.run}`))],
  };
};
