import { z } from 'zod';
import { AssetId, Digest, Instant, ModelLineId, SiteId, Slug } from './primitives.ts';

/** States of the decision machine of a model line (docs/judging.md). */
export const LineState = z.enum([
  'HEALTHY',
  'WATCH',
  'CONFIRMED',
  'RETRAIN_REQUESTED',
  'COOLDOWN',
  'VERIFY',
  'DATA_QUALITY_HOLD',
  'NEW_CONTEXT',
  'SUSPECTED_CHANGEOVER',
  'RECURRING',
  'AGEING',
]);
export type LineState = z.infer<typeof LineState>;

/** How a unit of work turned out. `prevented`: repaired before it failed, and as found it would have. */
export const UnitEnd = z.enum(['failed', 'prevented', 'healthy', 'contradicted']);
export type UnitEnd = z.infer<typeof UnitEnd>;

/** One unit (a run of an asset) whose decisions by one package are joined to what turned out to be true. */
export const JoinedOutcomeRecord = z.strictObject({
  schema: z.literal('outcome-judgement/2'),
  modelLine: ModelLineId,
  site: SiteId,
  packageDigest: Digest,
  asset: AssetId,
  run: Slug,
  end: UnitEnd,
  endedAt: z.int().positive().describe('frame index'),
  validTime: Instant,
  knownTime: Instant.describe('when the newest event that decides about it was known'),
  events: z.array(z.string()).min(1).describe('ids of the events it rests on'),
  decisions: z.int().nonnegative(),
  withValue: z.int().nonnegative().describe('the rest were fallback or held'),
  loss: z.number().min(0).max(1).nullable().describe('mean bounded loss; null when no decision has a value'),
  rmse: z.number().nonnegative().nullable().describe('label units; null unless it failed'),
  lastError: z.number().nullable(),
  lossAtMost: z
    .number()
    .min(0)
    .max(1)
    .nullable()
    .optional()
    .describe('largest mean loss, whatever life was left when the failure was prevented; the least is `loss`'),
  meanError: z
    .number()
    .min(-1)
    .max(1)
    .nullable()
    .optional()
    .describe('mean of value minus truth as a share of the cap: above 0 too hopeful; null unless it failed'),
  rejected: z.boolean().optional().describe('some package called it failing: it was looked at for that'),
});
export type JoinedOutcomeRecord = z.infer<typeof JoinedOutcomeRecord>;

/** How long outcomes take to become known, counted from the last decision on a unit; days. */
export const OutcomeDelays = z.strictObject({
  known: z.int().nonnegative().describe('units with an outcome'),
  waiting: z.int().nonnegative().describe('units without one: their delay is longer than they are old'),
  medianDays: z.number().nonnegative().nullable().describe('null: half of the outcomes never became known yet'),
  matureDays: z.number().nonnegative().nullable().describe('age at which nine of ten outcomes are known; null: none'),
  matured: z
    .strictObject({
      share: z.number().min(0).max(1).describe('of units as old as `maturityDays`, how many have an outcome by then'),
      lower: z.number().min(0).max(1).describe('of its 95 % interval'),
      upper: z.number().min(0).max(1),
    })
    .nullable()
    .describe('null while no unit is that old'),
});
export type OutcomeDelays = z.infer<typeof OutcomeDelays>;

/** Whether answers moved to one side of what turned out to be true. */
export const CalibrationDrift = z.strictObject({
  outcomes: z.int().nonnegative().describe('units that failed: only of those the truth is known'),
  meanError: z.number().nullable().describe('mean of value minus truth as a share of the cap'),
  allowed: z.tuple([z.number(), z.number()]).describe('of the mean error'),
  eValue: z.number().nonnegative(),
  threshold: z.number().positive(),
  says: z.enum(['too hopeful', 'too gloomy']).nullable(),
});
export type CalibrationDrift = z.infer<typeof CalibrationDrift>;

/** The one thing that follows from a judgement. */
export const LineAction = z.strictObject({
  kind: z
    .enum(['retrain', 'ask-labels', 'ask-operator', 'plan'])
    .describe('ask-operator: whether a machine was changed over; plan: a retrain before what ages reaches its limit'),
  requestId: z.string().nullable().describe('of a retrain'),
  count: z
    .int()
    .nonnegative()
    .describe('retrain: outcomes it rests on; ask-labels: outcomes missing; ask-operator: devices; plan: days left'),
  says: z.string().optional().describe('of ask-operator and plan: the question, or what ages'),
});
export type LineAction = z.infer<typeof LineAction>;

/** What the decision machine says of a model line: registry record `judgement/line/<model line>`. */
export const LineJudgement = z.strictObject({
  schema: z.literal('line-judgement/1'),
  modelLine: ModelLineId,
  site: SiteId,
  packageDigest: Digest.describe('the champion that is judged'),
  state: LineState,
  eValue: z.number().nonnegative(),
  threshold: z.number().positive(),
  outcomes: z.int().nonnegative(),
  meanLoss: z.number().nullable(),
  expectedLoss: z.number().describe('bound of the validation loss plus the tolerance'),
  coverage: z.strictObject({ matured: z.int().nonnegative(), known: z.int().nonnegative() }),
  delays: OutcomeDelays.optional(),
  calibration: CalibrationDrift.optional(),
  worstAsset: z.string().nullable(),
  features: z.array(z.string()).describe('inputs that are not as in training, worst first'),
  action: LineAction.nullable(),
  wouldHave: LineAction.nullable()
    .optional()
    .describe('only in shadow mode: what would have been asked for; `action` is null'),
  reasons: z.array(z.string()).min(1),
  evidenceDigest: Digest.describe('of the evidence in the order it was judged: who has it computes the same again'),
  evidence: Digest.optional().describe('only in the record: hash of the kept document of it'),
});
export type LineJudgement = z.infer<typeof LineJudgement>;

/**
 * How a model line was judged, and from what: append-only, each names the one before by its hash. Who has it computes
 * the same judgement again, to the byte (core/drift/decision/evidence-chain.ts).
 */
export const LineEvidenceDocument = z.strictObject({
  schema: z.literal('line-evidence/1'),
  sequence: z.int().positive(),
  previous: Digest.nullable().describe('hash of the evidence before; null for the first'),
  judgeVersion: z.int().positive().describe('of the rules: raised when the same evidence gives another judgement'),
  facts: z.record(z.string(), z.unknown()).describe('all that was known of the line, in the order it is judged'),
  judgement: LineJudgement,
  hash: Digest.describe('of all else, as canonical JSON'),
});
export type LineEvidenceDocument = z.infer<typeof LineEvidenceDocument>;

/** Operator's alert: one for each run of an asset that the model calls failing. Registry record `alert/<site>/<asset>/<run>`. */
export const AlertRecord = z.strictObject({
  schema: z.literal('alert/1'),
  alertId: z.string(),
  site: SiteId,
  modelLine: ModelLineId,
  asset: AssetId,
  run: Slug,
  index: z.int().positive(),
  decision: z.string().describe('id of the first decision with the verdict fail'),
  packageDigest: Digest,
  value: z.number().nullable(),
  says: z.string(),
  nextAction: z.string(),
  features: z.array(z.number()).describe('what the model saw, in the order of its feature set'),
  raisedAt: Instant,
  sourceTime: Instant,
  status: z.enum(['open', 'acknowledged', 'shelved', 'closed']),
  by: z.string().nullable().describe('who changed it last; null while nobody did'),
  note: z.string(),
  shelvedUntil: Instant.nullable(),
  truth: z.enum(['true', 'false', 'repaired']).nullable().describe('what a person said it was'),
});
export type AlertRecord = z.infer<typeof AlertRecord>;

const twelve = (n: number): string => String(n).padStart(12, '0');

const decidingPrefix = (packageDigest: string): string => `DECIDING#${packageDigest}#`;

/** Items of the judgement table: what the judge knows of decisions, units, events and model lines. */
export const judgementKeys = {
  /** Which object holds a decision: the first whose last sequence is not below it. */
  object: (site: string, device: string, boot: string, lastSequence: number) => ({
    pk: `OBJECT#${site}/${device}/${boot}`,
    sk: twelve(lastSequence),
  }),
  asset: (site: string, asset: string) => `ASSET#${site}/${asset}`,
  unit: (site: string, asset: string, run: string) => ({ pk: `ASSET#${site}/${asset}`, sk: `UNIT#${run}` }),
  /** One object of decisions about a unit: `{tableKey}`. */
  decided: (site: string, asset: string, run: string, object: string) => ({
    pk: `ASSET#${site}/${asset}`,
    sk: `DECIDED#${run}#${object}`,
  }),
  event: (site: string, asset: string, eventId: string) => ({ pk: `ASSET#${site}/${asset}`, sk: `EVENT#${eventId}` }),
  /** An event by its id, whatever machine it is about: `{event, assets}`. */
  told: (site: string, eventId: string) => ({ pk: `EVENT#${site}/${eventId}`, sk: 'TOLD' }),
  /** That another event corrects it. */
  correction: (site: string, corrected: string, eventId: string) => ({
    pk: `EVENT#${site}/${corrected}`,
    sk: `BY#${eventId}`,
  }),
  line: (modelLine: string) => `LINE#${modelLine}`,
  outcome: (modelLine: string, packageDigest: string, asset: string, run: string) => ({
    pk: `LINE#${modelLine}`,
    sk: `OUTCOME#${packageDigest}#${asset}/${run}`,
  }),
  /** A unit that the package decided about: `{lastAt, rejected}`. */
  served: (modelLine: string, packageDigest: string, asset: string, run: string) => ({
    pk: `LINE#${modelLine}`,
    sk: `SERVED#${packageDigest}#${asset}/${run}`,
  }),
  /** A request for labels: `{request: LabelRequest}`. */
  labels: (modelLine: string, packageDigest: string, ordinal: number) => ({
    pk: `LINE#${modelLine}`,
    sk: `LABELS#${packageDigest}#${twelve(ordinal)}`,
  }),
  /** How far a device decided by the package: `{site, device, boot, first, last}`, numbers of its decisions. */
  deciding: (modelLine: string, packageDigest: string, site: string, device: string) => ({
    pk: `LINE#${modelLine}`,
    sk: `${decidingPrefix(packageDigest)}${site}/${device}`,
  }),
  decidingPrefix: (packageDigest: string): string => decidingPrefix(packageDigest),
  features: (modelLine: string, packageDigest: string, site: string, device: string) => ({
    pk: `LINE#${modelLine}`,
    sk: `FEATURES#${packageDigest}#${site}/${device}`,
  }),
  /** How far the windows of a device were judged: what is kept between its messages. */
  device: (modelLine: string, packageDigest: string, site: string, device: string) => ({
    pk: `DRIFT#${modelLine}#${packageDigest}`,
    sk: `${site}/${device}`,
  }),
  devices: (modelLine: string, packageDigest: string): string => `DRIFT#${modelLine}#${packageDigest}`,
  /** Windows of a start of a device that is not among its newest: `{boot, ends}`. */
  boot: (modelLine: string, packageDigest: string, site: string, device: string, boot: string) => ({
    pk: `BOOT#${modelLine}#${packageDigest}#${site}/${device}`,
    sk: boot,
  }),
  /** What one finder said of a signal in one check, the newest stretches: `{words, version}`. */
  findings: (f: { site: string; asset: string; signal: string; check: string }, foundBy: string) => ({
    pk: `ASSET#${f.site}/${f.asset}`,
    sk: `FINDINGS#${f.signal}#${f.check}#${foundBy}`,
  }),
  retrain: (modelLine: string, requestId: string) => ({ pk: `LINE#${modelLine}`, sk: `RETRAIN#${requestId}` }),
  /** `{judgement: LineJudgement, version}`. */
  state: (modelLine: string) => ({ pk: `LINE#${modelLine}`, sk: 'STATE' }),
} as const;
