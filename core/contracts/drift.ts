import { z } from 'zod';
import { DeviceId, Digest, Instant, ModelLineId, SiteId, Slug } from './primitives.ts';

const count = z.int().nonnegative();
const scaled = z.int().describe('integer: adding in any order gives the same bits');

/** What a window of rows says of one feature: whole numbers that can be added, largest and smallest that can be compared. */
export const FeatureSketch = z.strictObject({
  name: z.string(),
  counts: z.array(count).describe('rows in each cell of the baseline'),
  n: count.describe('finite values'),
  z: scaled.describe('Σ of round(256 · (value − center) / scale), each held within ± 32 · 256'),
  zz: scaled.describe('Σ of its square'),
  lag: scaled.describe('Σ of its product with the one before, of the same asset'),
  lagged: count.describe('how many products'),
  min: z.number().nullable(),
  max: z.number().nullable(),
  longest: count.describe('most rows in a row of one asset with the same value'),
  changes: count.describe('rows whose value is another than that before, of the same asset'),
});
export type FeatureSketch = z.infer<typeof FeatureSketch>;

/** Name of a window: whatever is sent twice has the same. */
export const WindowKey = z.strictObject({
  site: SiteId,
  device: DeviceId,
  boot: Slug,
  windowStart: z.int().positive().describe('sequence of the first decision counted'),
});
export type WindowKey = z.infer<typeof WindowKey>;

/** One window of one device in one context, whole: what the parts of its digests say together. Kept in the lake. */
export const DriftWindow = WindowKey.extend({
  schema: z.literal('drift-window/1'),
  windowEnd: z.int().positive(),
  rows: z.int().positive(),
  modelLine: ModelLineId,
  packageDigest: Digest,
  context: Slug,
  from: Instant.describe('source time of the first row'),
  to: Instant,
  assets: z.array(Slug).describe('whose rows were counted'),
  features: z.array(FeatureSketch).min(1),
});
export type DriftWindow = z.infer<typeof DriftWindow>;

/**
 * How inputs are judged (docs/drift.md). Numbers that are absent have the defaults of core/drift/policy.ts, so that a use
 * case says only what is particular to it.
 */
export const DriftPolicy = z.strictObject({
  mode: z.enum(['act', 'shadow']).optional().describe('shadow: judged and told, but nothing is asked for'),
  warmUpRows: count.optional().describe('rows after a change of context that are no drift'),
  arl0: z.number().min(100).optional().describe('windows between two false alarms of the ageing chart, at least'),
  ageingLimit: z.number().positive().optional().describe('standard deviations that a feature may have aged'),
  changeoverShare: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('of features that step at once: a changeover is suspected'),
  changeoverDays: z.number().positive().optional().describe('a suspected changeover waits so long for its answer'),
  onEvent: z
    .partialRecord(z.enum(['changeover', 'tool-change', 'repair']), z.enum(['mute', 're-baseline', 'retrain']))
    .optional()
    .describe('what a plant event of a kind does to drift of its asset'),
  muteDays: z.number().positive().optional(),
  alertsPerMonth: z.number().positive().optional().describe('of the line, for nothing: its share of the error budget'),
  cost: z
    .strictObject({
      retrain: z.number().positive().describe('of one retrain, any currency'),
      perLoss: z.number().positive().describe('of one unit of loss over one outcome, the same currency'),
      horizon: z.number().positive().describe('outcomes that a new model would serve'),
    })
    .optional()
    .describe('absent: a confirmed loss is reason enough'),
});
export type DriftPolicy = z.infer<typeof DriftPolicy>;
