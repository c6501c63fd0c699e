import type { FeatureSet } from '../contracts/feature-set.ts';
import type { FeatureSignal } from '../contracts/feature-store.ts';
import type { LakeRow } from '../contracts/lake-tables.ts';
import { compileFeatureSet } from '../features/engine/compile.ts';
import { compareText } from '../text/compare.ts';
import { type FrameSource, type FrameVersion, frameVersions } from './frame-versions.ts';

/**
 * A row of the offline store: a row of the table `features`. An empty `x` says that from then on it is known that the row
 * has no features; `source` is the raw object that brought it about.
 */
export type StoreRow = { readonly [C in keyof LakeRow<'features'>]: NonNullable<LakeRow<'features'>[C]> };

type Definition = { readonly featureSet: FeatureSet; readonly signals: readonly FeatureSignal[] };

/** Newest version that was known at an instant; undefined when there was none. */
const asKnown = (versions: readonly FrameVersion[], at: number): FrameVersion | undefined =>
  versions.findLast((v) => v.known <= at);

/** Where the end of a list of frames begins that is of one context and at most `length` indexes back: what a window sees. */
const windowStart = (frames: readonly FrameVersion[], length: number): number => {
  const { context, index } = (frames.at(-1) as FrameVersion).frame;
  let start = frames.length - 1;
  while (start > 0) {
    const { frame } = frames[start - 1] as FrameVersion;
    if (frame.context !== context || index - frame.index >= length) break;
    start -= 1;
  }
  return start;
};

/** When the last frame of the window that ends a list was known, and the frame of another context that cuts it off. */
const windowKnown = (frames: readonly FrameVersion[], length: number): number => {
  let known = Number.NEGATIVE_INFINITY;
  const start = windowStart(frames, length);
  const { index } = (frames.at(-1) as FrameVersion).frame;
  const cut = frames[start - 1];
  for (let i = cut !== undefined && index - cut.frame.index < length ? start - 1 : start; i < frames.length; i++)
    known = Math.max(known, (frames[i] as FrameVersion).known);
  return known;
};

/**
 * Rows of the offline store that some versions of raw objects brought about: each row as it was known first, when the last
 * frame of its window was there, and again from each later correction of a frame of its window on. A row belongs to the
 * source of its own frame, one that a correction changed to the source of the correction.
 * The same sources in any order give the same rows; none has another's asset, run, index and known time.
 * @param sources of one run: those asked for, all that overlap with them, and the `windowLength - 1` frames before.
 */
export const rowHistory = (
  definition: Definition,
  sources: readonly FrameSource[],
  wanted: ReadonlySet<FrameSource>,
): ReadonlyMap<FrameSource, readonly StoreRow[]> => {
  const compiled = compileFeatureSet(definition.featureSet, definition.signals);
  const { length } = compiled;
  const histories = frameVersions(sources);
  const rows = new Map<FrameSource, StoreRow[]>([...wanted].map((s) => [s, []]));
  const give = (of: FrameVersion, cause: FrameVersion, known: number, x: readonly number[]): void => {
    const { asset, run, index, context, sourceTime } = of.frame;
    rows.get(cause.source)?.push({
      asset,
      run,
      index,
      context,
      valid_time: sourceTime,
      known_time: new Date(known).toISOString(),
      x,
      source: cause.source.key,
    });
  };

  /** A row of which some frame was corrected: from nothing, once for each time at which its window was another. */
  const corrected = (upTo: number): void => {
    const newest = histories[upTo] as readonly FrameVersion[];
    const own = newest[0] as FrameVersion;
    const near: (readonly FrameVersion[])[] = [];
    for (let i = upTo; i >= 0; i--) {
      const versions = histories[i] as readonly FrameVersion[];
      if (own.frame.index - (versions[0] as FrameVersion).frame.index >= length) break;
      near.unshift(versions);
    }
    const first = windowKnown(
      near.map((v) => v[0] as FrameVersion),
      length,
    );
    const later = near
      .flat()
      .filter((v) => v.known > first)
      .sort((a, b) => a.known - b.known || compareText(a.source.key, b.source.key));
    let before: readonly FrameVersion[] = [];
    let told = false;
    // Of several frames that became known at one instant the first by key is the cause.
    for (const at of new Set([first, ...later.map((v) => v.known)])) {
      const frames = near.flatMap((versions) => asKnown(versions, at) ?? []);
      const window = frames.slice(windowStart(frames, length));
      if (window.length === before.length && window.every((v, i) => v === before[i])) continue;
      const features = compiled.open();
      for (const { frame } of window.slice(0, -1)) features.remember(frame);
      const vector = features.push((window.at(-1) as FrameVersion).frame);
      const cause = at === first ? own : (later.find((v) => v.known === at) as FrameVersion);
      if (vector.ok || told) give(window.at(-1) as FrameVersion, cause, at, vector.ok ? vector.x : []);
      told ||= vector.ok;
      before = window;
    }
  };

  const features = compiled.open();
  let changed = Number.NEGATIVE_INFINITY;
  const recent: FrameVersion[] = [];
  for (const [i, versions] of histories.entries()) {
    const own = versions[0] as FrameVersion;
    const vector = features.push(own.frame);
    if (versions.length > 1) changed = own.frame.index;
    recent.push(own);
    if (recent.length > 2 * length) recent.splice(0, recent.length - length);
    if (own.frame.index - changed < length) corrected(i);
    else if (vector.ok && wanted.has(own.source)) give(own, own, windowKnown(recent, length), vector.x);
  }
  return rows;
};
