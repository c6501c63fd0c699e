import { z } from 'zod';
import { DeviceId, Digest, Instant, ModelLineId, SiteId, Slug } from './primitives.ts';
import { Season } from './season.ts';

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

/** What a window of one device is, after all is weighed; `steady`, `watch` and `serious` are said of drift itself. */
export const WindowKind = z.enum([
  'steady',
  'watch',
  'serious',
  'ageing',
  'new-context',
  'recurring',
  'suspected-changeover',
  'warm-up',
  'muted',
  'data-quality',
]);
export type WindowKind = z.infer<typeof WindowKind>;

const bounds = z.tuple([z.number().nonnegative(), z.number().nonnegative()]);

/** One feature of a judged window. Indices are of the population: bias-corrected, 0 at least. */
export const FeatureFinding = z.strictObject({
  name: z.string(),
  psi: z.number().nonnegative(),
  lower: z.number().nonnegative().describe('one-sided bound of the index at the share of `alpha` of one feature'),
  upper: z.number().nonnegative(),
  p: z.number().min(0).max(1).describe('of the hypothesis that the index is at most `psiWatch`'),
  js: z.number().describe('Jensen–Shannon distance, base 2'),
  wasserstein: z.number().nullable().describe('in interquartile ranges of the reference; null for a category'),
  ks: z.number().nullable().describe('largest difference of the shares below a value; null for a category'),
  bounds: z
    .strictObject({ js: bounds, wasserstein: bounds.nullable(), ks: bounds.nullable() })
    .optional()
    .describe('one-sided bounds of the three distances, at the level of that of the index'),
  z: z
    .number()
    .nullable()
    .describe('mean in standard deviations of the reference rows, less the centre it is held against'),
  cusum: z.number().nullable().describe('the larger side of the ageing chart, in standard deviations of window means'),
  cusumLimit: z.number().nullable(),
  perDay: z.number().optional().describe('how much it ages, in standard deviations of the reference rows'),
  daysToLimit: z.number().nonnegative().optional().describe('until it has aged by `ageingLimit`'),
  eValue: z
    .number()
    .nonnegative()
    .optional()
    .describe('of its windows; that of the device is the mean of its features'),
});
export type FeatureFinding = z.infer<typeof FeatureFinding>;

/**
 * How one window of one device was judged, and from what: append-only, each names the one before by its hash. Who has the
 * windows, the baseline and the policy computes the same bytes again (core/drift/device/device-fold.ts).
 */
export const WindowEvidence = z.strictObject({
  schema: z.literal('drift-evidence/1'),
  foldVersion: z.int().positive().optional().describe('of the rules it was judged by; absent: 1'),
  sequence: z.int().positive(),
  previous: Digest.nullable().describe('hash of the evidence before; null for the first'),
  modelLine: ModelLineId,
  packageDigest: Digest,
  site: SiteId,
  device: DeviceId,
  baselineDigest: Digest,
  policyDigest: Digest,
  windows: z
    .array(z.strictObject({ boot: Slug, windowStart: z.int().positive(), digest: Digest }))
    .min(1)
    .describe('that were added up, and the digest of each'),
  events: z
    .array(z.strictObject({ eventId: z.string(), digest: Digest }))
    .describe('plant events that were taken into account for the first time'),
  held: z.array(z.string()).describe('why the data could not be trusted, as it was given'),
  from: Instant,
  to: Instant,
  rows: count,
  assets: z.array(Slug),
  context: Slug,
  cell: z
    .string()
    .optional()
    .describe(
      'of the season, d1-h06 for example; absent where the package has none, or the window is of more than a day',
    ),
  against: z.string().describe('what the window was held against: fixed, context, season, own, regime'),
  kind: WindowKind,
  state: z.enum(['steady', 'watch', 'serious']).describe('what the tolerance test alone says'),
  features: z.array(FeatureFinding).describe('worst first'),
  farOffWindows: count.describe('in a row in which many features were far off'),
  eValue: z.number().nonnegative().describe('over windows: large when changes keep coming'),
  threshold: z.number().positive(),
  reached: z.boolean().optional().describe('the e-value did, and has not been under the root of it for long since'),
  arl0: z
    .strictObject({ value: z.number().positive(), interval: z.tuple([z.number(), z.number()]) })
    .nullable()
    .describe('windows until a false alarm of the ageing charts, by block bootstrap; null: too few reference windows'),
  calibrated: z.boolean(),
  slow: z.boolean().optional().describe('a mean went off slowly, and is not back'),
  since: Instant.describe('from when the device has been of this kind'),
  ageing: z
    .strictObject({ feature: z.string(), perDay: z.number(), daysToLimit: z.number().nonnegative().nullable() })
    .nullable(),
  mix: z
    .array(z.strictObject({ context: Slug, share: z.number(), reference: z.number() }))
    .describe('of the windows of late, by context: drift in the mix is no drift within a context'),
  says: z.array(z.string()).min(1),
  hash: Digest.describe('of all else, as canonical JSON'),
});
export type WindowEvidence = z.infer<typeof WindowEvidence>;

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
  learnDays: z
    .number()
    .positive()
    .optional()
    .describe(
      'after a change whose rule is `re-baseline`: a context whose windows begin to differ later is not learned',
    ),
  season: Season.optional().describe(
    'inputs follow the time of day: each cell has a reference of its own, from the next training on. Absent: they do not',
  ),
  alertsPerMonth: z
    .number()
    .positive()
    .optional()
    .describe('for nothing, of all model lines of the site together; absent: `alarmAt` alone limits them'),
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
