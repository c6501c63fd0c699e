import { z } from 'zod';
import { Digest, Instant, ModelLineId, SiteId } from './primitives.ts';

/**
 * Whose outcomes become known, and when they count (docs/judging.md). Absent: every unit is taken to be inspected, and an
 * outcome counts as soon as it is known.
 */
export const OutcomePolicy = z.strictObject({
  inspected: z
    .enum(['every', 'rejects'])
    .optional()
    .describe('rejects: only units that the model calls failing are looked at by themselves, others by lot'),
  quota: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe('share of the units that are not rejected and are inspected all the same, drawn by lot'),
  leastPropensity: z
    .number()
    .positive()
    .max(1)
    .optional()
    .describe('smallest chance of being inspected that is weighed in full; bounds every weight. Default: the quota'),
  onlyMature: z
    .boolean()
    .optional()
    .describe('an outcome counts `maturityDays` after its unit stopped, so that those known soon are no other sample'),
});
export type OutcomePolicy = z.infer<typeof OutcomePolicy>;

/**
 * Units whose outcomes are wanted, drawn by lot among those without one. Registry record
 * `judgement/labels/<model line>/<package>/<ordinal>`. Each unit that stopped in `(after, until]` had the chance `share`.
 */
export const LabelRequest = z.strictObject({
  schema: z.literal('label-request/1'),
  requestId: z.string(),
  modelLine: ModelLineId,
  site: SiteId,
  packageDigest: Digest,
  ordinal: z.int().positive(),
  after: Instant.nullable().describe('null: of all that stopped until then'),
  until: Instant.describe('newest instant in the evidence: when it was asked, in event time'),
  share: z.number().positive().max(1).describe('chance of each unit to be drawn'),
  count: z.int().positive().describe('how many outcomes decide'),
  standing: z
    .boolean()
    .optional()
    .describe('the quota, for nothing in particular: it gives way to a request with a reason'),
  candidates: z.int().nonnegative().describe('units that stopped in `(after, until]`, as far as it was known'),
  units: z
    .array(z.string())
    .min(1)
    .max(200)
    .describe('`asset/run`: drawn of these, and of earlier stretches what came to be known, or stopped, since'),
  reason: z.string().min(1).max(400),
});
export type LabelRequest = z.infer<typeof LabelRequest>;
