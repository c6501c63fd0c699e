import type { FeatureSetRecord } from '#core/contracts/feature-store.ts';
import { storeKeys } from '#core/contracts/lake.ts';
import type { FrameSource } from '#core/feature-sets/frame-versions.ts';
import { rowHistory, type StoreRow } from '#core/feature-sets/row-history.ts';
import { windowLength } from '#core/features/engine/plan.ts';
import { type FrameRange, overlaps } from '#core/lake/frames-within.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import { TryAgain } from './errors.ts';
import type { ObjectStore } from './object-store.ts';
import { type RunObject, type RunObjectsDeps, runObjects, sourcesOf } from './run-objects.ts';
import { rowsToParquet } from './table-file.ts';

export interface StoreDeps extends RunObjectsDeps {
  readonly lake: ObjectStore;
}

export interface StoreTask extends FrameRange {
  readonly featureSetDigest: string;
  readonly definition: Pick<FeatureSetRecord, 'featureSet' | 'signals'>;
  readonly site: string;
  readonly asset: string;
  readonly run: string;
  /** UTC days of the rows that are written; absent = all. */
  readonly days?: { readonly from: string; readonly to: string };
}

export interface StoreResult {
  readonly rows: number;
  /** Keys of objects that were written, or written with other bytes. */
  readonly written: readonly string[];
  /** Keys of objects that were there with the same bytes. */
  readonly unchanged: readonly string[];
  /** Raw objects that gave no rows, and why. */
  readonly failed: readonly { readonly key: string; readonly reason: string }[];
}

/** How often rows are computed anew because uploads were registered meanwhile. */
const ROUNDS = 5;

/**
 * Writes the rows that frames of a run bring about into the offline store, and what they change in rows after them.
 * - Exactly the bytes that the registry names are read, with the frames before that the windows need.
 * - A raw object that cannot be read gives no rows, nor do those whose windows need it.
 * - Each version of a raw object has its rows of a day in one object. The same bytes are not written again.
 * - Uploads are registered in any order and side by side: what is written is looked at again, until nothing was registered
 *   since it was read. So the last of several writers leaves the rows of the whole windows.
 * @throws {TryAgain} when uploads go on being registered.
 */
export const storeFeatures = async (deps: StoreDeps, task: StoreTask): Promise<StoreResult> => {
  const { definition, featureSetDigest, site, asset, run, days } = task;
  const reach = windowLength(definition.featureSet) - 1;
  const fits = ({ versions }: RunObject): boolean =>
    versions.some(({ record }) => definition.signals.every((s) => record.signals.includes(s.name)));

  const look = async () => {
    const objects = runObjects(deps, task);
    // A correction changes windows after its frames, so it is itself changed by what lies among these.
    const near = await objects.within({ first: task.first - reach, last: task.last + reach });
    const wanted = near
      .filter(fits)
      .filter((o) => o.versions.length > 1 || overlaps(o, { first: task.first, last: task.last + reach }));
    const span = {
      first: Math.min(...wanted.map((o) => o.first)) - reach,
      last: Math.max(...wanted.map((o) => o.last)) + reach,
    };
    return { wanted, read: wanted.length === 0 ? [] : (await objects.within(span)).filter(fits) };
  };
  const seenOf = ({ read }: Awaited<ReturnType<typeof look>>): string =>
    read.map((o) => `${o.key} ${o.versions.map((v) => v.record.digest).join(' ')}`).join('\n');

  const put = async (key: string, rows: readonly StoreRow[]): Promise<'written' | 'unchanged' | 'nothing'> => {
    const there = await deps.lake.find(key);
    if (there === null && rows.length === 0) return 'nothing';
    const bytes = rowsToParquet('features', rows);
    if (there !== null && Buffer.compare(there, bytes) === 0) return 'unchanged';
    await deps.lake.put(key, bytes, 'application/vnd.apache.parquet');
    return 'written';
  };

  const keyOf = (source: FrameSource, { first, last }: FrameRange, date: string): string =>
    storeKeys.rows({
      featureSet: featureSetDigest,
      site,
      asset,
      run,
      date,
      first,
      last,
      // Bytes may come back: a correction is named by its time too.
      source: source.correctedAt === null ? source.digest : digestOf({ digest: source.digest, at: source.correctedAt }),
    });

  let seen = await look();
  // What is registered meanwhile has its own event.
  if (seen.wanted.length === 0) return { rows: 0, written: [], unchanged: [], failed: [] };
  const outcome = new Map<string, 'written' | 'unchanged'>();
  for (let round = 0; round < ROUNDS; round++) {
    const failed: { key: string; reason: string }[] = [];
    const sources = new Map<FrameSource, RunObject>();
    await inParallel(seen.read, async (object) => {
      try {
        for (const source of await sourcesOf(deps.lake, object)) sources.set(source, object);
      } catch (error) {
        failed.push({ key: object.key, reason: (error as Error).message });
      }
    });
    // A row of half a window would be wrong for good: what needs an object that cannot be read is not written.
    const unread = seen.read.filter((o) => failed.some((f) => f.key === o.key));
    const whole = new Set(seen.wanted);
    for (const object of seen.wanted) {
      const needs = unread.find((u) => u !== object && overlaps(object, { first: u.first, last: u.last + reach }));
      if (needs === undefined || unread.includes(object)) continue;
      failed.push({ key: object.key, reason: `its windows need ${needs.key}, which cannot be read` });
      whole.delete(object);
    }
    const wanted = new Set([...sources].filter(([, object]) => whole.has(object)).map(([source]) => source));
    let count = 0;
    for (const [source, rows] of rowHistory(definition, [...sources.keys()], wanted)) {
      const byDay = Map.groupBy(rows, (r) => r.valid_time.slice(0, 10));
      // Days of frames without a row, too: an object may be there from a time when they had one.
      for (const { sourceTime } of source.frames) {
        const day = sourceTime.slice(0, 10);
        if (!byDay.has(day)) byDay.set(day, []);
      }
      for (const [day, ofDay] of byDay) {
        if (days !== undefined && (day < days.from || day > days.to)) continue;
        count += ofDay.length;
        const key = keyOf(source, sources.get(source) as RunObject, day);
        const done = await put(key, ofDay);
        if (done !== 'nothing' && outcome.get(key) !== 'written') outcome.set(key, done);
      }
    }
    const again = await look();
    if (seenOf(again) === seenOf(seen)) {
      const keys = (what: 'written' | 'unchanged') =>
        [...outcome].flatMap(([key, o]) => (o === what ? [key] : [])).sort();
      return { rows: count, written: keys('written'), unchanged: keys('unchanged'), failed };
    }
    seen = again;
  }
  throw new TryAgain(
    `uploads of ${site}/${asset}/${run} are being registered faster than their rows are written; try later`,
  );
};
