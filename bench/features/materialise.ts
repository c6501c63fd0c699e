import { gzipSync } from 'node:zlib';
import type { SQSEvent } from 'aws-lambda';
import type { Frame } from '#core/contracts/frame.ts';
import { lakeKeys, type RawObjectRecord } from '#core/contracts/lake.ts';
import type { RecordClass } from '#core/contracts/ledger.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { listKeys } from '#core/lake/list-keys.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { StoredRecord } from '#core/ports/registry.ts';
import { type ObjectStore, sha256 } from '../../lambdas/shared/object-store.ts';
import { type Deps, makeHandler } from '../../lambdas/store-features/handler.ts';
import { definitions } from '../../use-cases/predictive-maintenance/use-case.ts';
import { cpuSeconds } from '../statistics.ts';
import type { GroupOptions } from './group.ts';
import { define, frameAt, RUN, setOf } from './inputs.ts';

/** Frames of one upload, and uploads that the queue hands out at once. */
const UPLOAD = 625;
const BATCH = 10;
const MILLION = 1e6;
/** Row-windows of the longest run, in millions. */
const UP_TO = 64;

const SIGNALS: readonly SignalDefinition[] = ['a', 'b', 'c', 'd'].map((name) => ({
  name,
  unit: '1',
  kind: 'scalar',
  range: [-1e6, 1e6],
}));
/** Sixteen features, so that a batch is 100,000 row-windows. */
const FEATURES = SIGNALS.flatMap(({ name }) => [
  define('latest', name, 1),
  define('mean', name, 64),
  define('std', name, 64),
  define('slope', name, 64, { min: 2 }),
]);

const USE_CASE = {
  ...(definitions[0] as (typeof definitions)[number]).useCase,
  featureSet: setOf(FEATURES),
  signals: [...SIGNALS],
};

const frame = (index: number): Frame => {
  const value = (k: number): number =>
    Math.round(1000 * ((((index + 1) * (7919 + 104_729 * k)) % 65_537) / 65_537)) / 10;
  const values = SIGNALS.map(({ name }, k) => [name, { value: value(k), quality: 'GOOD' as const }]);
  return frameAt(index, 10_000, Object.fromEntries(values));
};

const record = (recordClass: RecordClass, id: string, body: object): StoredRecord => ({
  class: recordClass,
  id,
  version: 1,
  at: '2026-06-01T00:00:00.000Z',
  actor: 'bench',
  bodyDigest: digestOf(body),
  body: { ...body },
});

/** How many keys come no later than one. */
const keysUpTo = (keys: readonly string[], key: string): number => {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as string) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** A lake and a registry of one run that grows upload by upload; what is written is counted and dropped. */
const growingRun = () => {
  const keys: string[] = [];
  const uploads = new Map<string, Uint8Array>();
  const records = new Map<string, StoredRecord>();
  let listed = 0;
  let written = 0;
  const upload = (first: number): object => {
    const last = first + UPLOAD - 1;
    const key = lakeKeys.frames({ ...RUN, first, last });
    const frames = Array.from({ length: UPLOAD }, (_, i) => JSON.stringify(frame(first + i)));
    const bytes = gzipSync(frames.join('\n'), { level: 1 });
    const signals = SIGNALS.map((s) => s.name);
    const body: RawObjectRecord = {
      schema: 'raw-object/1',
      bucket: 'lake',
      key,
      versionId: null,
      digest: sha256(bytes),
      bytes: bytes.byteLength,
      ...RUN,
      firstIndex: first,
      lastIndex: last,
      frames: UPLOAD,
      quarantined: 0,
      signals,
    };
    keys.push(key);
    uploads.set(key, bytes);
    // No window reaches further back: the run may be longer than memory.
    uploads.delete(keys.at(-4 * BATCH) as string);
    records.set(key, record('raw-object', key, body));
    return { detail: { ...RUN, key, first, last, signals } };
  };
  const lake: ObjectStore = {
    bucket: 'lake',
    get: async (key) => uploads.get(key) as Uint8Array,
    find: async () => null,
    async put(key, bytes) {
      written += 1;
      return { bucket: 'lake', key, versionId: null, digest: '', bytes: bytes.byteLength };
    },
    // The keys of one run, which come in order.
    list: (_, options) =>
      listKeys(async ({ after = '', token = after }) => {
        const begin = keysUpTo(keys, token);
        const page = keys.slice(begin, begin + 1000);
        listed += page.length;
        return { keys: page, token: begin + 1000 < keys.length ? page.at(-1) : undefined };
      }, options),
  };
  const bodies: Partial<Record<RecordClass, object>> = {
    'use-case': USE_CASE,
    'model-line': {
      schema: 'model-line/1',
      modelLine: 'bench/plant-a',
      site: RUN.site,
      useCaseDigest: digestOf(USE_CASE),
      champion: null,
      lastReleaseNumber: 0,
    },
  };
  const registry: Deps['registry'] = {
    async latest(recordClass, id) {
      if (recordClass === 'raw-object') return records.get(id) ?? null;
      const body = bodies[recordClass];
      return body === undefined ? null : record(recordClass, id, body);
    },
    async list(recordClass) {
      const body = bodies[recordClass];
      return body === undefined ? [] : [record(recordClass, 'bench', body)];
    },
    versions: async () => [],
  };
  const take = makeHandler({
    lake,
    registry,
    log: {
      error: (message, error) => {
        throw new Error(`the bench could not store its own uploads: ${message}: ${error.message}`);
      },
    },
  });
  return {
    objects: () => keys.length,
    /** Keys that were listed since the last call. */
    listed() {
      const since = listed;
      listed = 0;
      return since;
    },
    /** The next uploads of the run are registered and their rows stored. @returns nanoseconds of CPU that the store took. */
    async grow(): Promise<number> {
      const events = Array.from({ length: BATCH }, () => upload(keys.length * UPLOAD + 1));
      const before = written;
      const start = process.cpuUsage();
      await take({ Records: events.map((e, i) => ({ messageId: `m${i}`, body: JSON.stringify(e) })) } as SQSEvent);
      const seconds = cpuSeconds(start);
      if (written < before + BATCH) throw new Error(`the store wrote ${written - before} objects for ${BATCH} uploads`);
      return seconds * 1e9;
    },
  };
};

/**
 * Work of a row as its run grows: the function of the store over batch after batch of one run, as its queue hands them
 * out; at each doubling the CPU time of the row-windows (row × feature) since the one before, beside that of runs that
 * begin anew after each million, in turns: what the machine does meanwhile meets both. Uploads are listed, read,
 * unpacked, checked and computed, and Parquet is written, to a store in memory. What S3 takes to list a run is not in it,
 * so the keys that are listed for an upload are a figure of their own.
 */
export const materialise = async ({ report }: GroupOptions): Promise<void> => {
  const { figure, note } = report;
  const warm = growingRun();
  for (let i = 0; i < 20; i++) await warm.grow();
  const run = growingRun();
  let short = growingRun();
  const ratios: number[] = [];
  let peak = 0;
  let done = 0;
  let keys = 0;
  for (let upTo = MILLION; upTo <= UP_TO * MILLION; upTo *= 2) {
    const [before, objects] = [done, run.objects()];
    let [cost, shortCost] = [0, 0];
    for (; done < upTo; done += BATCH * UPLOAD * FEATURES.length) {
      if (short.objects() * UPLOAD * FEATURES.length >= MILLION) short = growingRun();
      shortCost += await short.grow();
      cost += await run.grow();
    }
    ratios.push(cost / shortCost);
    peak = Math.max(peak, process.memoryUsage.rss());
    figure({
      name: `CPU per row-window, up to ${upTo / MILLION} million`,
      value: cost / (done - before),
      unit: 'ns',
      goal: null,
      peer: { name: 'short runs', value: shortCost / (done - before) },
    });
    keys = run.listed() / (run.objects() - objects);
    note(
      `run of ${run.objects()} uploads, ${keys.toFixed(0)} keys listed for each; resident ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
    );
  }
  figure({
    name: 'largest deviation from short runs',
    value: 100 * Math.max(...ratios.map((r) => Math.abs(r - 1))),
    unit: '%',
    goal: 10,
  });
  figure({ name: `keys listed for an upload, run of ${run.objects()} uploads`, value: keys, unit: '', goal: null });
  figure({ name: 'most memory resident at a doubling', value: peak / 2 ** 20, unit: 'MiB', goal: null });
};
