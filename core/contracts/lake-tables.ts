/** Column types of Athena that the platform writes. */
export type LakeColumnType = 'string' | 'bigint' | 'double' | 'boolean' | 'array<bigint>' | 'array<double>';

/** How a partition's values are computed (Athena partition projection): no crawler, no partition to add. */
export type LakePartition =
  | { readonly type: 'site' }
  | { readonly type: 'date'; readonly from: string }
  | { readonly type: 'injected'; readonly says: string };

/** Why objects are kept how long: the days are the deployment config's. */
export type RetentionClass = 'record' | 'raw' | 'working';

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
  readonly retention: RetentionClass;
}

const SITE = { type: 'site' } as const;
const DATE = { type: 'date', from: '2025-01-01' } as const;

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
    says: 'Histograms of the features that devices saw, one row a feature and window.',
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
    partitions: { site: SITE, date: DATE },
    rowKey: ['device', 'boot', 'model_line', 'package_digest', 'window_start', 'feature'],
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
    partitions: { site: SITE, date: DATE },
    rowKey: ['device', 'boot', 'sequence', 'position'],
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
    partitions: { site: SITE, date: DATE },
    rowKey: ['asset', 'signal', 'check', 'from_time', 'found_at', 'found_by'],
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
      date: DATE,
    },
    rowKey: ['asset', 'run', 'index', 'known_time'],
    retention: 'working',
  },
} as const satisfies Record<string, LakeTable>;
export type LakeTableName = keyof typeof LAKE_TABLES;
