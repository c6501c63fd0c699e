import { z } from 'zod';
import { FeatureSet } from './feature-set.ts';
import { Actor, AssetId, Digest, Instant, SiteId, Slug } from './primitives.ts';
import { SignalDefinition } from './use-case.ts';

/** What of a signal changes the number that a feature gives: not how its values are checked on the way in. */
export const FeatureSignal = SignalDefinition.omit({ quality: true });
export type FeatureSignal = z.infer<typeof FeatureSignal>;

/** Registry record `feature-set/<digest>`: what a digest means, whose it is, and whether it may still be used. */
export const FeatureSetRecord = z.strictObject({
  schema: z.literal('feature-set-record/1'),
  featureSet: FeatureSet,
  signals: z.array(FeatureSignal).min(1).describe('of the set, sorted by name: one digest means one computation'),
  units: z.record(z.string(), z.string()).describe('feature → UCUM code of its value'),
  retired: z
    .strictObject({
      by: Actor,
      reason: z.string().min(1),
      at: Instant,
      breaks: z.array(z.string()).describe('what needed it then'),
      accepted: z.string().min(1).optional().describe('why that is accepted; absent where nothing needed it'),
    })
    .nullable(),
});
export type FeatureSetRecord = z.infer<typeof FeatureSetRecord>;

/** One line of the backfill's Distributed Map: frames of one run, by index. */
export const BackfillItem = z.strictObject({
  backfillId: z.string(),
  part: z.int().nonnegative(),
  featureSetDigest: Digest,
  site: SiteId,
  asset: AssetId,
  run: Slug,
  first: z.int().positive(),
  last: z.int().positive(),
  from: z.iso.date().describe('UTC day of the first row that is written'),
  to: z.iso.date().describe('and of the last'),
});
export type BackfillItem = z.infer<typeof BackfillItem>;

/** What one part of a backfill did; an object of its own, because a state carries no more than 256 kB. */
export const BackfillPart = z.strictObject({
  part: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  written: z.int().nonnegative().describe('objects of the store'),
  unchanged: z.int().nonnegative().describe('objects that were there with the same bytes'),
  failed: z.array(z.strictObject({ key: z.string(), reason: z.string() })).describe('raw objects that gave no rows'),
});
export type BackfillPart = z.infer<typeof BackfillPart>;

/** Registry record `backfill/<id>`. */
export const BackfillRecord = z.strictObject({
  schema: z.literal('backfill/1'),
  backfillId: z.string(),
  execution: z.string(),
  featureSetDigest: Digest,
  site: SiteId,
  from: z.iso.date(),
  to: z.iso.date(),
  asset: AssetId.nullable(),
  requestedBy: Actor,
  reason: z.string(),
  status: z.enum(['running', 'done', 'refused', 'failed']),
  detail: z.string(),
  parts: z.int().nonnegative(),
  objects: z.int().nonnegative().describe('raw objects'),
  frames: z.int().nonnegative(),
  rows: z.int().nonnegative(),
  written: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  failures: z.int().nonnegative().describe('raw objects that gave no rows'),
  failed: BackfillPart.shape.failed.max(50).describe('the first of them'),
});
export type BackfillRecord = z.infer<typeof BackfillRecord>;
