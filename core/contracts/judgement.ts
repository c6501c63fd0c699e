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
});
export type JoinedOutcomeRecord = z.infer<typeof JoinedOutcomeRecord>;

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
  worstAsset: z.string().nullable(),
  features: z.array(z.string()).describe('inputs that are not as in training, worst first'),
  action: z
    .strictObject({
      kind: z.enum(['retrain', 'ask-labels']),
      requestId: z.string().nullable(),
      count: z.int().nonnegative(),
    })
    .nullable(),
  reasons: z.array(z.string()).min(1),
  evidenceDigest: Digest.describe('of the evidence in the order it was judged: who has it computes the same again'),
});
export type LineJudgement = z.infer<typeof LineJudgement>;

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
  /** A unit that the package decided about: `{lastAt}`. */
  served: (modelLine: string, packageDigest: string, asset: string, run: string) => ({
    pk: `LINE#${modelLine}`,
    sk: `SERVED#${packageDigest}#${asset}/${run}`,
  }),
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
  /** What one finder said last of one stretch of a signal: `{finding, foundAt, foundBy}`. */
  finding: (f: { site: string; asset: string; signal: string; check: string; from: string }, foundBy: string) => ({
    pk: `ASSET#${f.site}/${f.asset}`,
    sk: `FINDING#${f.signal}#${f.check}#${f.from}#${foundBy}`,
  }),
  retrain: (modelLine: string, requestId: string) => ({ pk: `LINE#${modelLine}`, sk: `RETRAIN#${requestId}` }),
  /** `{judgement: LineJudgement, version}`. */
  state: (modelLine: string) => ({ pk: `LINE#${modelLine}`, sk: 'STATE' }),
} as const;
