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

type Versions = readonly RawObjectRecord[];

/** Whether frames of a version may have their times in the days. */
const mayLieIn = ({ from, to }: Pick<BackfillRequest, 'from' | 'to'>, { firstAt, lastAt }: RawObjectRecord): boolean =>
  (firstAt ?? to).slice(0, 10) <= to && (lastAt ?? from).slice(0, 10) >= from;

/** All versions of an object as one: each of them is read. */
const together = (versions: Versions): Omit<BackfillPart, 'asset' | 'run'> => ({
  first: Math.min(...versions.map((v) => v.firstIndex)),
  last: Math.max(...versions.map((v) => v.lastIndex)),
  frames: Math.max(...versions.map((v) => v.frames)),
  bytes: versions.reduce((sum, v) => sum + v.bytes, 0),
});

interface BackfillPart {
  readonly asset: string;
  readonly run: string;
  first: number;
  last: number;
  frames: number;
  bytes: number;
}

/**
 * Cuts a backfill into parts: neighbouring frames of one run, so that few frames are read twice for their windows. An
 * object of which each version lacks a signal of the feature set is of another kind of machine: where one had them, those
 * after it are its corrections. One whose times are all outside of the days gives no rows, and where its times are not
 * known it is looked at. The same objects in any order give the same parts.
 * @param objects each as all its versions.
 */
export const planBackfill = (
  request: BackfillRequest,
  signals: FeatureSetRecord['signals'],
  objects: readonly Versions[],
): BackfillPlan => {
  const chosen = objects
    .filter((versions) => versions.some((v) => v.frames > 0 && signals.every((s) => v.signals.includes(s.name))))
    .filter((versions) => versions.some((v) => mayLieIn(request, v)))
    .map((versions) => ({ ...(versions[0] as RawObjectRecord), ...together(versions) }))
    .filter((o) => o.site === request.site && (request.asset ?? o.asset) === o.asset)
    .sort(
      (a, b) =>
        compareText(a.asset, b.asset) || compareText(a.run, b.run) || a.first - b.first || compareText(a.key, b.key),
    );
  const items: BackfillItem[] = [];
  let open: BackfillPart | null = null;
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
    open ??= { asset: o.asset, run: o.run, first: o.first, last: o.last, frames: 0, bytes: 0 };
    open.last = Math.max(open.last, o.last);
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
