import { z } from 'zod';
import { AssetId, Digest, ModelLineId, SiteId, Slug } from './primitives.ts';
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
  }),
  OutcomeKnown: z.strictObject({
    site: SiteId,
    eventId: z.string(),
    asset: AssetId,
    run: Slug,
    index: z.int().positive().describe('frame index at which the run ended'),
  }),
  Quarantined: z.strictObject({ site: SiteId, key: z.string(), reason: z.string(), records: z.int().positive() }),
} as const;
export type EventType = keyof typeof EVENTS;
export type EventDetail<T extends EventType> = z.infer<(typeof EVENTS)[T]>;
