import { z } from 'zod';
import { AssetId, Digest, Instant, ObjectRef, SiteId, Slug } from './primitives.ts';
import { LabelDefinition } from './use-case.ts';

/** A run whose end was known, and so the label of each of its frames. */
export const EndedRun = z.strictObject({
  asset: AssetId,
  run: Slug,
  endedAt: z.int().positive().describe('frame index of the failure'),
  knownTime: Instant.describe('when the newest event that it rests on was known'),
  events: z.array(z.string()).min(1),
});
export type EndedRun = z.infer<typeof EndedRun>;

/** Manifest of `millwright training-set`: everything that its rows follow from, so that they can be made again. */
export const TrainingSetManifest = z.strictObject({
  schema: z.literal('training-set/1'),
  featureSetDigest: Digest,
  features: z.array(z.string()).min(1).describe('names, in the order of x'),
  site: SiteId,
  knownAt: Instant.describe('nothing known after this instant entered: no row, no correction, no label'),
  maxAgeDays: z.number().positive().nullable().describe('of a row at the time of its label'),
  asset: AssetId.nullable().describe('the only one that was asked for'),
  labels: z.discriminatedUnion('from', [
    z.strictObject({
      from: z.literal('file'),
      digest: Digest,
      known: z.int().nonnegative().describe('labels of the file that were known, each the newest of its time'),
      without: z.int().nonnegative().describe('of these, how many have no row'),
    }),
    z.strictObject({
      from: z.literal('events'),
      label: LabelDefinition,
      ended: z.array(EndedRun),
      running: z.int().nonnegative().describe('runs that had rows and no known failure'),
    }),
  ]),
  sealed: z
    .array(z.string())
    .describe('asset/run of what was left out because a use case of the feature set keeps it for its tests'),
  objects: z.array(ObjectRef).describe('of the store, each with the version that was read'),
  format: z.enum(['parquet', 'csv']),
  rows: z.int().nonnegative(),
  digest: Digest.describe('of the bytes of the rows'),
});
export type TrainingSetManifest = z.infer<typeof TrainingSetManifest>;
