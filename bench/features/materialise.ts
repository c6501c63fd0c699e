import { gzipSync } from 'node:zlib';
import type { FeatureDefinition, FeatureSet } from '#core/contracts/feature-set.ts';
import type { Frame } from '#core/contracts/frame.ts';
import { lakeKeys, type RawObjectRecord } from '#core/contracts/lake.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { digestOf } from '#core/lineage/digest.ts';
import type { StoredRecord } from '#core/ports/registry.ts';
import { storeFeatures } from '../../lambdas/shared/feature-store.ts';
import { type ObjectStore, sha256 } from '../../lambdas/shared/object-store.ts';
import type { Report } from '../report.ts';

const RUN = { site: 'plant-a', asset: 'm1', run: 'life-1' };
/** Frames of one part, as a backfill cuts them, and of one upload. */
const PART = 15_625;
const UPLOAD = 625;
const MILLION = 1e6;

const SIGNALS: readonly SignalDefinition[] = ['a', 'b', 'c', 'd'].map((name) => ({
  name,
  unit: '1',
  kind: 'scalar',
  range: [-1e6, 1e6],
}));
/** Sixteen features, so that a part is 250,000 row-windows. */
const FEATURES: readonly FeatureDefinition[] = SIGNALS.flatMap(({ name }) =>
  (
    [
      ['latest', 1, {}],
      ['mean', 64, {}],
      ['std', 64, {}],
      ['slope', 64, { min: 2 }],
    ] as const
  ).map(([feature, window, params]) => ({ name: `${name}_${feature}`, feature, signal: name, window, params })),
);
const FEATURE_SET: FeatureSet = {
  schema: 'feature-set/1',
  id: 'bench',
  owner: 'bench',
  description: 'sixteen numbers of four signals',
  features: [...FEATURES],
};

const frameAt = (index: number): Frame => {
  const time = new Date(Date.UTC(2026, 0, 1) + index * 10_000).toISOString();
  const value = (k: number): number =>
    Math.round(1000 * ((((index + 1) * (7919 + 104_729 * k)) % 65_537) / 65_537)) / 10;
  return {
    schema: 'frame/1',
    ...RUN,
    index,
    context: 'production',
    sourceTime: time,
    receivedTime: time,
    signals: Object.fromEntries(SIGNALS.map(({ name }, k) => [name, { value: value(k), quality: 'GOOD' as const }])),
  };
};

/** A lake and a registry with the uploads of one part; what is written is counted and dropped. */
const onePart = () => {
  const uploads = new Map<string, Uint8Array>();
  const records = new Map<string, StoredRecord>();
  for (let first = 1; first <= PART; first += UPLOAD) {
    const last = first + UPLOAD - 1;
    const key = lakeKeys.frames({ ...RUN, first, last });
    const bytes = gzipSync(Array.from({ length: UPLOAD }, (_, i) => JSON.stringify(frameAt(first + i))).join('\n'));
    uploads.set(key, bytes);
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
      signals: SIGNALS.map((s) => s.name),
    };
    records.set(key, {
      class: 'raw-object',
      id: key,
      version: 1,
      at: '2026-06-01T00:00:00.000Z',
      actor: 'bench',
      bodyDigest: body.digest,
      body,
    });
  }
  const lake: ObjectStore = {
    bucket: 'lake',
    get: async (key) => uploads.get(key) as Uint8Array,
    find: async () => null,
    put: async (key, bytes) => ({ bucket: 'lake', key, versionId: null, digest: '', bytes: bytes.byteLength }),
    list: async () => [...uploads.keys()],
  };
  return {
    lake,
    registry: { latest: async (_: unknown, id: string) => records.get(id) ?? null, versions: async () => [] },
  };
};

/**
 * Work of a row as rows grow: the function of the store over part after part, one pass; at each doubling the CPU time of
 * the row-windows (row × feature) since the one before. Uploads are read, unpacked, checked and computed, and Parquet is
 * written, to a store in memory.
 * @param o.upTo row-windows at most, in millions.
 */
export const materialise = async (o: { readonly report: Report; readonly upTo?: number }): Promise<void> => {
  const { figure, note } = o.report;
  const deps = onePart();
  const task = {
    ...RUN,
    featureSetDigest: digestOf(FEATURE_SET),
    definition: { featureSet: FEATURE_SET, signals: [...SIGNALS] },
    first: 1,
    last: PART,
  };
  const part = async (): Promise<number> => {
    const { rows, failed } = await storeFeatures(deps, task);
    if (failed.length > 0) throw new Error(`the bench could not read its own uploads: ${failed[0]?.reason}`);
    return rows * FEATURES.length;
  };
  for (let i = 0; i < 4; i++) await part();
  const costs: number[] = [];
  let peak = 0;
  let done = 0;
  for (let upTo = MILLION; upTo <= (o.upTo ?? 64) * MILLION; upTo *= 2) {
    const before = done;
    const start = process.cpuUsage();
    while (done < upTo) done += await part();
    const { user, system } = process.cpuUsage(start);
    costs.push(((user + system) * 1000) / (done - before));
    peak = Math.max(peak, process.memoryUsage.rss());
    figure({
      name: `CPU per row-window, up to ${upTo / MILLION} million`,
      value: costs.at(-1) as number,
      unit: 'ns',
      goal: null,
    });
    note(`resident ${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`);
  }
  const [first = 1] = costs;
  figure({
    name: 'largest deviation from the first million',
    value: 100 * Math.max(...costs.map((c) => Math.abs(c / first - 1))),
    unit: '%',
    goal: 10,
  });
  figure({ name: 'most memory resident at a doubling', value: peak / 2 ** 20, unit: 'MiB', goal: null });
};
