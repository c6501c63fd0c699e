/** Column types of Athena that the platform writes. */
export type LakeColumnType = 'string' | 'bigint' | 'double' | 'boolean' | 'array<bigint>' | 'array<double>';

/** How a partition's values are computed (Athena partition projection): no crawler, no partition to add. */
export type LakePartition =
  | { readonly type: 'tier' }
  | { readonly type: 'site' }
  | { readonly type: 'date'; readonly from: string }
  | { readonly type: 'injected'; readonly says: string };

/**
 * Small files of the day lie in `hot`; what compaction made of a closed day lies in `cold`. Which of the two holds the rows
 * of a day is said by the table `compactions` (core/lake/rows-once.ts): both may lie there while a day changes over.
 */
export const TIERS = ['hot', 'cold'] as const;
export type Tier = (typeof TIERS)[number];

/** Why objects are kept how long: the days are the deployment config's. */
export type RetentionClass = 'record' | 'raw' | 'working' | 'quarantine';

/**
 * One table of the lake. Columns are only ever added, at the end: readers go by name and take what is absent as null,
 * so files written before stay readable.
 */
export interface LakeTable {
  readonly name: string;
  readonly says: string;
  /** Key prefix, without a slash at the end; partitions follow as `name=value/`. */
  readonly prefix: string;
  readonly columns: Readonly<Record<string, LakeColumnType>>;
  readonly partitions: Readonly<Record<string, LakePartition>>;
  /** Columns that name a row: rows with the same values are one row. */
  readonly rowKey: readonly string[];
  /** Order of rows in a file that compaction writes, so that a query reads few row groups; only of tables with tiers. */
  readonly order?: readonly string[];
  readonly retention: RetentionClass;
}

const TIER = { type: 'tier' } as const;
const SITE = { type: 'site' } as const;
/** Of landing. */
const DATE = { type: 'date', from: '2025-01-01' } as const;
/** Of source time: historians bring what is older than the platform. */
const SOURCE_DATE = { type: 'date', from: '2000-01-01' } as const;

/** Every table of the lake, once: Glue, writers, compaction, queries and the reference page come from it. */
export const LAKE_TABLES = {
  decisions: {
    name: 'decisions',
    says: 'What the edge decided, one row a decision.',
    prefix: 'decisions',
    columns: {
      id: 'string',
      device: 'string',
      boot: 'string',
      sequence: 'bigint',
      model_line: 'string',
      asset: 'string',
      run: 'string',
      index: 'bigint',
      source_time: 'string',
      decided_at: 'string',
      verdict: 'string',
      value: 'double',
      reason: 'string',
      package_digest: 'string',
      variant: 'string',
      feature_set_digest: 'string',
      input_digest: 'string',
      latency_ms: 'double',
      shadow_package: 'string',
      shadow_value: 'double',
      shadow_verdict: 'string',
    },
    partitions: { site: SITE, date: DATE },
    rowKey: ['id'],
    retention: 'record',
  },
  telemetry: {
    name: 'telemetry',
    says: 'What devices counted of features in the cells of their baselines, one row a feature and window.',
    prefix: 'telemetry',
    columns: {
      device: 'string',
      boot: 'string',
      model_line: 'string',
      package_digest: 'string',
      window_start: 'bigint',
      window_end: 'bigint',
      feature: 'string',
      counts: 'array<bigint>',
    },
    partitions: { tier: TIER, site: SITE, date: DATE },
    rowKey: ['device', 'boot', 'model_line', 'package_digest', 'window_start', 'feature'],
    order: ['model_line', 'device', 'boot', 'window_start', 'feature'],
    retention: 'working',
  },
  observations: {
    name: 'observations',
    says: 'Values of signals, one row a value; `date` is the day on which it landed.',
    prefix: 'curated/observations',
    columns: {
      asset: 'string',
      signal: 'string',
      unit: 'string',
      value: 'double',
      text: 'string',
      quality: 'string',
      reason: 'string',
      flags: 'string',
      source_time: 'string',
      received_time: 'string',
      device: 'string',
      boot: 'string',
      sequence: 'bigint',
      position: 'bigint',
      connector: 'string',
      config_version: 'string',
    },
    partitions: { tier: TIER, site: SITE, date: DATE },
    rowKey: ['device', 'boot', 'sequence', 'position'],
    order: ['asset', 'signal', 'source_time', 'device', 'boot', 'sequence', 'position'],
    retention: 'raw',
  },
  quality: {
    name: 'quality',
    says: 'Stretches in which a check of data quality failed, one row a finding.',
    prefix: 'curated/quality',
    columns: {
      asset: 'string',
      signal: 'string',
      check: 'string',
      from_time: 'string',
      to_time: 'string',
      open: 'boolean',
      count: 'bigint',
      worst: 'double',
      says: 'string',
      found_at: 'string',
      found_by: 'string',
    },
    partitions: { tier: TIER, site: SITE, date: DATE },
    rowKey: ['asset', 'signal', 'check', 'from_time', 'found_at', 'found_by'],
    order: ['asset', 'signal', 'from_time', 'found_at', 'check'],
    retention: 'record',
  },
  features: {
    name: 'features',
    says: 'Features of frames by feature set: what they were, of when, and when that was known.',
    prefix: 'features/store',
    columns: {
      asset: 'string',
      run: 'string',
      index: 'bigint',
      context: 'string',
      valid_time: 'string',
      known_time: 'string',
      x: 'array<double>',
      source: 'string',
    },
    partitions: {
      feature_set: { type: 'injected', says: '64 hex digits of the digest of the feature set' },
      site: SITE,
      date: SOURCE_DATE,
    },
    rowKey: ['asset', 'run', 'index', 'known_time'],
    retention: 'working',
  },
  compactions: {
    name: 'compactions',
    says: 'Closed days of which the rows are in tier cold; of every other day they are in tier hot.',
    prefix: 'compactions',
    columns: {
      table_name: 'string',
      committed_at: 'string',
      rows: 'bigint',
      files: 'bigint',
      replaced: 'bigint',
    },
    partitions: { site: SITE, date: DATE },
    rowKey: ['table_name', 'site', 'date'],
    retention: 'record',
  },
} as const satisfies Record<string, LakeTable>;
export type LakeTableName = keyof typeof LAKE_TABLES;

/** Tables that the landing writer fills and compaction tends: those with tiers. Their `date` is the day of landing. */
export const LANDED_TABLES = ['telemetry', 'observations', 'quality'] as const satisfies readonly LakeTableName[];
export type LandedTableName = (typeof LANDED_TABLES)[number];

interface Cell {
  readonly string: string | null;
  readonly bigint: number | null;
  readonly double: number | null;
  readonly boolean: boolean | null;
  readonly 'array<bigint>': readonly number[];
  readonly 'array<double>': readonly number[];
}

/** A row of a table, every column by name: what a writer forgets or misspells does not compile. */
export type LakeRow<N extends LakeTableName> = {
  readonly [C in keyof (typeof LAKE_TABLES)[N]['columns']]: (typeof LAKE_TABLES)[N]['columns'][C] extends LakeColumnType
    ? Cell[(typeof LAKE_TABLES)[N]['columns'][C]]
    : never;
};

/** Every prefix of the lake with why its objects are kept; the lifecycle rules of the bucket come from it. */
export const LAKE_PREFIXES: readonly { readonly prefix: string; readonly retention: RetentionClass }[] = [
  ...Object.values<LakeTable>(LAKE_TABLES).map(({ prefix, retention }) => ({ prefix: `${prefix}/`, retention })),
  { prefix: 'raw/frames/', retention: 'raw' },
  { prefix: 'raw/observations/', retention: 'raw' },
  { prefix: 'raw/events/', retention: 'record' },
  { prefix: 'inbox/decisions/', retention: 'record' },
  { prefix: 'inbox/events/', retention: 'record' },
  { prefix: 'snapshots/', retention: 'record' },
  { prefix: 'compaction-plans/', retention: 'record' },
  { prefix: 'features/split=', retention: 'working' },
  { prefix: 'backfills/', retention: 'working' },
  { prefix: 'drift/windows/', retention: 'record' },
  { prefix: 'drift/evidence/', retention: 'record' },
  { prefix: 'drift/lines/', retention: 'record' },
  { prefix: 'drift/parts/', retention: 'working' },
  { prefix: 'quarantine/', retention: 'quarantine' },
];
