import { z } from 'zod';
import type { Split } from './dataset-snapshot.ts';
import { LAKE_TABLES, type LandedTableName, type Tier } from './lake-tables.ts';
import { AssetId, Digest, Instant, SiteId, Slug } from './primitives.ts';

const hex = (digest: string): string => digest.replace('sha256:', '');
const ten = (n: number): string => String(n).padStart(10, '0');

/**
 * From the first to the last index of one object of frames, at most so many: whoever looks for the frames of a range need
 * not look further back than this.
 */
export const MAX_FRAMES_SPAN = 100_000;

/** Keys of the lake bucket. Prefixes are what IAM grants on: change them only together with lib/. */
export const lakeKeys = {
  /**
   * Frames of one run, gzip NDJSON, one Frame a line, ascending index, `MAX_FRAMES_SPAN` indexes at most. Written by
   * devices and historians directly. Those of a device name its thing: its role may write only such keys, and so changes
   * nobody else's objects.
   */
  frames: (o: { site: string; asset: string; run: string; thing?: string; first: number; last: number }): string =>
    `${framesPrefix(o)}${o.thing === undefined ? '' : `${o.thing}/`}${ten(o.first)}-${ten(o.last)}.ndjson.gz`,
  /** What the keys of all frames of a run begin with, whoever wrote them. */
  framesPrefix: (o: { site: string; asset: string; run: string }): string => framesPrefix(o),
  /** What the keys of all frames of a site begin with, or of one of its assets. */
  allFramesPrefix: (o: { site: string; asset: string | null }): string =>
    `raw/frames/site=${o.site}/${o.asset === null ? '' : `asset=${o.asset}/`}`,
  event: (site: string, eventId: string): string => `raw/events/site=${site}/${eventId}.json`,
  /** What is bad of one version of an object: another version under the same key has an object of its own. */
  quarantine: (key: string, versionId: string | null): string =>
    `quarantine/${key}${versionId === null ? '' : `/version=${versionId}`}`,
  snapshot: (digest: string): string => `snapshots/${hex(digest)}/snapshot.json`,
  /** Feature rows as Parquet. The test split has its own prefix: only evaluation may read it. */
  features: (o: { featureSet: string; snapshot: string; split: Split; part: number }): string =>
    `${featuresPrefix(o)}part-${String(o.part).padStart(5, '0')}.parquet`,
  featuresPrefix: (o: { featureSet: string; snapshot: string; split: Split }): string => featuresPrefix(o),
  decisions: (o: { site: string; date: string; device: string; boot: string; first: number; last: number }): string =>
    `decisions/site=${o.site}/date=${o.date}/${o.device}-${o.boot}-${ten(o.first)}-${ten(o.last)}.parquet`,
  /** Rows as they landed, one object a batch; `date` is the day of landing, so that a day that is over gets no more. */
  hot: (o: LandedDay & { batch: string }): string => `${landedPrefix('hot', o)}${o.batch}.parquet`,
  cold: (o: LandedDay & { part: string }): string => `${landedPrefix('cold', o)}${o.part}.parquet`,
  landedPrefix: (tier: Tier, day: LandedDay): string => landedPrefix(tier, day),
  /** What the keys of all rows of a tier of a table begin with, or of one of its sites. */
  tierPrefix: (tier: Tier, table: LandedTableName, site?: string): string => tierPrefix(tier, table, site),
  /** From when this object is there, the rows of the day are those of tier cold. */
  compaction: (day: LandedDay): string =>
    `${LAKE_TABLES.compactions.prefix}/site=${day.site}/date=${day.date}/${day.table}.parquet`,
  /** How far the compaction of a day came: `plan`, then the marks `written`, `committed` and `deleted`, each written once. */
  compactionStep: (day: LandedDay, step: 'plan' | 'written' | 'committed' | 'deleted'): string =>
    `${compactionPrefix(day)}${step}.json`,
  compactionPrefix: (day: LandedDay): string => compactionPrefix(day),
  /** Observations that were too many for messages: gzip NDJSON of observations/1, written by their device itself. */
  observations: (o: { site: string; thing: string; name: string }): string =>
    `raw/observations/site=${o.site}/${o.thing}/${o.name}.ndjson.gz`,
  /** A window of one device, whole: canonical JSON of DriftWindow, so that the same window is the same bytes. */
  driftWindow: (o: DriftWindowOf): string => `drift/windows/${deviceOf(o)}${windowName(o)}.json`,
  driftWindows: (o: DriftDevice): string => `drift/windows/${deviceOf(o)}`,
  /** A message of a window whose other messages have not come. */
  driftPart: (o: DriftWindowOf, part: number): string => `${partsOf(o)}${part}.json`,
  driftParts: (o: DriftWindowOf): string => partsOf(o),
  /** What was said of a device, in the order it was said: canonical JSON of DriftFold. */
  driftEvidence: (o: DriftDevice, said: { readonly sequence: number; readonly hash: string }): string =>
    `drift/evidence/${deviceOf(o)}${ten(said.sequence)}-${hex(said.hash).slice(0, 16)}.json`,
  driftEvidences: (o: DriftDevice): string => `drift/evidence/${deviceOf(o)}`,
  /** The evidence that a judgement of a model line rests on, whole, by its digest. */
  lineEvidence: (modelLine: string, digest: string): string => `${lineEvidences(modelLine)}${hex(digest)}.json`,
  lineEvidences: (modelLine: string): string => lineEvidences(modelLine),
  /** Messages that could not land, gzip NDJSON of QuarantinedMessage. */
  quarantinedMessages: (o: { site: string; date: string; batch: string }): string =>
    `quarantine/messages/site=${o.site}/date=${o.date}/${o.batch}.ndjson.gz`,
} as const;

/** Whose inputs are judged: a device, as it serves one package of one model line. */
export interface DriftDevice {
  readonly modelLine: string;
  readonly packageDigest: string;
  readonly site: string;
  readonly device: string;
}
/** One window of it, by the name that the window has. */
export interface DriftWindowOf extends DriftDevice {
  readonly boot: string;
  readonly windowStart: number;
}
const deviceOf = ({ modelLine, packageDigest, site, device }: DriftDevice): string =>
  `${modelLine}/${hex(packageDigest)}/${site}/${device}/`;
const windowName = ({ boot, windowStart }: DriftWindowOf): string => `${boot}-${ten(windowStart)}`;
const partsOf = (o: DriftWindowOf): string => `drift/parts/${deviceOf(o)}${windowName(o)}/`;
const lineEvidences = (modelLine: string): string => `drift/lines/${modelLine}/`;

/** One day of one site of a table with tiers. */
export interface LandedDay {
  readonly table: LandedTableName;
  readonly site: string;
  /** YYYY-MM-DD, UTC. */
  readonly date: string;
}

/** Site and day of a row's object in tier hot; null for any other key. */
export const hotDayOf = (key: string): Pick<LandedDay, 'site' | 'date'> | null => {
  const [, site, date] = /\/tier=hot\/site=([^/]+)\/date=(\d{4}-\d{2}-\d{2})\//.exec(key) ?? [];
  return site === undefined || date === undefined ? null : { site, date };
};

const tierPrefix = (tier: Tier, table: LandedTableName, site?: string): string =>
  `${LAKE_TABLES[table].prefix}/tier=${tier}/${site === undefined ? '' : `site=${site}/`}`;
const landedPrefix = (tier: Tier, { table, site, date }: LandedDay): string =>
  `${tierPrefix(tier, table, site)}date=${date}/`;
const compactionPrefix = (day: LandedDay): string => `compaction-plans/${day.table}/site=${day.site}/date=${day.date}/`;

const framesPrefix = (o: { site: string; asset: string; run: string }): string =>
  `raw/frames/site=${o.site}/asset=${o.asset}/run=${o.run}/`;
const featuresPrefix = (o: { featureSet: string; snapshot: string; split: Split }): string =>
  `features/split=${o.split}/${hex(o.featureSet)}/${hex(o.snapshot)}/`;

/**
 * Keys of the offline store (table `features`): rows that one version of a raw object brought about, by the day of their
 * frames. The same bytes give the same key; what corrects them another one.
 */
export const storeKeys = {
  rows: (o: {
    featureSet: string;
    site: string;
    date: string;
    asset: string;
    run: string;
    first: number;
    last: number;
    source: string;
  }): string =>
    `${storePrefix(o)}site=${o.site}/date=${o.date}/${o.asset}.${o.run}.${ten(o.first)}-${ten(o.last)}.${hex(o.source).slice(0, 16)}.parquet`,
  /** What the keys of all rows of a feature set begin with. */
  prefix: (featureSet: string): string => storePrefix({ featureSet }),
} as const;
const storePrefix = (o: { featureSet: string }): string => `features/store/feature_set=${hex(o.featureSet)}/`;

/** What a backfill works through and what its parts did: in the lake, because its workflow lives in the data plane. */
export const backfillKeys = {
  all: 'backfills/',
  items: (id: string): string => `backfills/${id}/items.jsonl`,
  part: (id: string, part: number): string => `${backfillParts(id)}${String(part).padStart(6, '0')}.json`,
  parts: (id: string): string => backfillParts(id),
} as const;
const backfillParts = (id: string): string => `backfills/${id}/parts/`;

/** Keys of the work bucket: lists that a workflow works through, made anew from a snapshot whenever they are needed. */
export const workKeys = {
  items: (snapshot: string): string => `items/${hex(snapshot)}/items.jsonl`,
  /** The part of the items that evaluation works through. */
  testItems: (snapshot: string): string => `items/${hex(snapshot)}/test-items.jsonl`,
  /** Model lines that one run of their scheduled judgement works through. */
  lines: (execution: string): string => `items/lines/${execution}/items.jsonl`,
} as const;

/** Keys of the artifacts bucket. */
export const artifactKeys = {
  trainingOutput: (modelLine: string): string => `training/${modelLine}/`,
  /** Plain files after quantization: model.fp32.onnx, model.int8.onnx, metrics.json, baseline.json, envelope.json, golden.bin, golden.json, quantize.json. */
  candidate: (modelLine: string, requestId: string): string => `candidates/${modelLine}/${requestId}/`,
  evaluationShard: (modelLine: string, requestId: string, part: number): string =>
    `evaluations/${modelLine}/${requestId}/shard-${part}.json`,
  evaluation: (modelLine: string, requestId: string): string => `evaluations/${modelLine}/${requestId}/report.json`,
  verdict: (modelLine: string, requestId: string): string => `evaluations/${modelLine}/${requestId}/verdict.json`,
  package: (modelLine: string, digest: string): string => `packages/${modelLine}/${hex(digest)}/`,
  component: (name: string, version: string): string => `components/${name}/${version}/`,
  plantModel: (digest: string): string => `plant-models/${hex(digest)}.json`,
} as const;

/** Body of registry record `raw-object/<key>`. */
export const RawObjectRecord = z.strictObject({
  schema: z.literal('raw-object/1'),
  bucket: z.string(),
  key: z.string(),
  versionId: z.string().nullable(),
  sequencer: z
    .string()
    .optional()
    .describe('which of two uploads under the key was the later one, as S3 says it; absent where it did not'),
  digest: Digest,
  bytes: z.int().positive(),
  site: SiteId,
  asset: AssetId,
  run: Slug,
  firstIndex: z.int().positive(),
  lastIndex: z.int().positive(),
  firstAt: Instant.optional().describe('earliest source time of its valid frames'),
  lastAt: Instant.optional().describe('latest'),
  frames: z.int().nonnegative().describe('valid frames'),
  quarantined: z.int().nonnegative(),
  signals: z.array(z.string()).describe('names of the signals that occur, sorted: what kind of machine this is'),
});
export type RawObjectRecord = z.infer<typeof RawObjectRecord>;
