import { z } from 'zod';
import { WindowKind } from './drift.ts';
import { LineState } from './judgement.ts';
import { PlantEvent } from './plant-event.ts';
import { AssetId, DeviceId, Digest, Instant, ModelLineId, SiteId, Slug } from './primitives.ts';
import { ReleaseRequest } from './release.ts';

/** Source of every event Millwright puts on its own bus. */
export const EVENT_SOURCE = 'millwright';

/** The catalogue of the bus: detail-type → schema of the detail. "Something happened" travels only this way. */
export const EVENTS = {
  RetrainRequested: z.strictObject({
    modelLine: ModelLineId,
    site: SiteId,
    cause: z.enum(['drift', 'schedule', 'person', 'first']),
    requestedBy: z.string(),
    reason: z.string().min(1),
    requestId: z.string().min(1).max(64),
  }),
  RetrainFinished: z.strictObject({
    modelLine: ModelLineId,
    site: SiteId,
    requestId: z.string(),
    outcome: z.enum(['candidate', 'refused', 'failed', 'skipped']),
    reason: z.string(),
  }),
  ReleaseCandidate: ReleaseRequest,
  ReleaseFinished: z.strictObject({
    modelLine: ModelLineId,
    site: SiteId,
    releaseId: z.string(),
    packageDigest: Digest,
    outcome: z.enum(['released', 'reverted', 'refused', 'failed']),
    reason: z.string(),
  }),
  DriftJudged: z.strictObject({
    modelLine: ModelLineId,
    site: SiteId,
    packageDigest: Digest,
    worstFeature: z.string(),
    psi: z.number(),
    state: z.enum(['steady', 'watch', 'drifted']),
    device: DeviceId.optional(),
    kind: WindowKind.optional(),
    what: z.string().optional().describe('changed'),
    sure: z.string().optional().describe('how sure that is'),
    since: Instant.optional().describe('source time'),
    assets: z.array(z.string()).optional(),
    next: z.string().optional().describe('what to do'),
    evidence: Digest.optional().describe('`millwright explain drift` shows it'),
  }),
  OutcomeKnown: PlantEvent.describe('a failure, finding, repair or inspection, whole'),
  MachineChanged: PlantEvent.describe('a changeover or tool change, whole'),
  FramesRegistered: z.strictObject({
    site: SiteId,
    asset: AssetId,
    run: Slug,
    key: z.string().describe('of the raw object'),
    first: z.int().positive().describe('frame index'),
    last: z.int().positive(),
    signals: z.array(z.string()).describe('names of the signals that occur'),
  }),
  BackfillRequested: z.strictObject({
    backfillId: z.string().min(1).max(64),
    featureSetDigest: Digest,
    site: SiteId,
    from: z.iso.date().describe('UTC day of the first row'),
    to: z.iso.date().describe('and of the last'),
    asset: AssetId.nullable().describe('null = every asset that has its signals'),
    requestedBy: z.string(),
    reason: z.string().min(1),
  }),
  DecisionsRecorded: z.strictObject({
    site: SiteId,
    device: DeviceId,
    object: z.string().describe('id of the registry record decision-object'),
    tableKey: z.string().describe('key of the Parquet object in the lake'),
    boot: Slug,
    firstSequence: z.int().positive(),
    lastSequence: z.int().positive(),
    modelLines: z.array(ModelLineId).min(1),
    runs: z.array(
      z.strictObject({
        asset: AssetId,
        run: Slug,
        first: z.int().positive().describe('frame index'),
        last: z.int().positive(),
        firstAt: Instant.describe('source time'),
        lastAt: Instant,
        failing: z.int().nonnegative().describe('decisions with the verdict fail'),
        served: z
          .array(z.strictObject({ modelLine: ModelLineId, packageDigest: Digest }))
          .optional()
          .describe('packages that decided on it'),
      }),
    ),
  }),
  AlertRaised: z.strictObject({
    site: SiteId,
    alertId: z.string(),
    modelLine: ModelLineId,
    asset: AssetId,
    says: z.string(),
    nextAction: z.string(),
  }),
  LineJudged: z.strictObject({
    modelLine: ModelLineId,
    site: SiteId,
    from: LineState,
    to: LineState,
    reason: z.string(),
  }),
  LabelsRequested: z.strictObject({
    modelLine: ModelLineId,
    site: SiteId,
    requestId: z.string(),
    count: z.int().positive().describe('how many outcomes decide'),
    says: z.string().describe('what is wanted of whom, for the people of the plant'),
  }),
  OperatorAsked: z.strictObject({
    modelLine: ModelLineId,
    site: SiteId,
    says: z.string().describe('the question, and how to answer it'),
  }),
  OwnerMessage: z.strictObject({
    site: SiteId,
    modelLine: ModelLineId,
    about: z.string().describe('an alert, a decision, a release'),
    from: z.string(),
    text: z.string().min(1).max(1000),
  }),
  Quarantined: z.strictObject({ site: SiteId, key: z.string(), reason: z.string(), records: z.int().positive() }),
} as const;
export type EventType = keyof typeof EVENTS;
export type EventDetail<T extends EventType> = z.infer<(typeof EVENTS)[T]>;
