import { z } from 'zod';
import { EVENTS } from './events.ts';
import { Digest, ModelLineId, SiteId } from './primitives.ts';

/** Input of the retrain state machine: the detail of RetrainRequested. */
export const RetrainRequest = EVENTS.RetrainRequested;
export type RetrainRequest = z.infer<typeof RetrainRequest>;

/** Registry record `retrain/<requestId>`: what was asked and how it ended. */
export const RetrainRecord = z.strictObject({
  schema: z.literal('retrain/1'),
  requestId: z.string(),
  execution: z.string(),
  modelLine: ModelLineId,
  site: SiteId,
  cause: z.enum(['drift', 'schedule', 'person', 'first']),
  requestedBy: z.string(),
  reason: z.string(),
  status: z.enum(['running', 'candidate', 'refused', 'failed', 'skipped']),
  step: z.string(),
  detail: z.string(),
  snapshotDigest: Digest.nullable(),
  packageDigest: Digest.nullable(),
});
export type RetrainRecord = z.infer<typeof RetrainRecord>;

/** Registry record `model-line/<id>`: the one champion. */
export const ModelLineRecord = z.strictObject({
  schema: z.literal('model-line/1'),
  modelLine: ModelLineId,
  site: SiteId,
  useCaseDigest: Digest,
  champion: z
    .strictObject({
      packageDigest: Digest,
      packagePrefix: z.string(),
      releaseNumber: z.int().positive(),
      releaseId: z.string(),
    })
    .nullable(),
  lastReleaseNumber: z.int().nonnegative(),
});
export type ModelLineRecord = z.infer<typeof ModelLineRecord>;
