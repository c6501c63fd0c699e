import { z } from 'zod';
import { Digest, Instant, ModelLineId, ObjectRef } from './primitives.ts';
import { LabelDefinition } from './use-case.ts';

export const Split = z.enum(['train', 'calibration', 'test']);
export type Split = z.infer<typeof Split>;

/** One run and the raw objects that hold its frames; a run is never in two splits. */
export const SnapshotRun = z.strictObject({
  asset: z.string(),
  run: z.string(),
  split: Split,
  frames: z.int().positive(),
  endedAt: z.int().positive().nullable().describe('frame index of the failure; null when it is still running'),
  objects: z.array(ObjectRef).min(1),
});
export type SnapshotRun = z.infer<typeof SnapshotRun>;

/** An immutable manifest of what a model may learn from; its canonical digest names it. */
export const DatasetSnapshot = z.strictObject({
  schema: z.literal('dataset-snapshot/1'),
  modelLine: ModelLineId,
  useCaseDigest: Digest,
  featureSetDigest: Digest,
  label: LabelDefinition,
  knownUntil: Instant.describe('nothing known after this instant may enter'),
  runs: z.array(SnapshotRun).min(1),
});
export type DatasetSnapshot = z.infer<typeof DatasetSnapshot>;

/** One line of the Distributed Map's input: the work of one materialisation. */
export const MaterialiseItem = z.strictObject({
  snapshotDigest: Digest,
  snapshotKey: z.string(),
  part: z.int().nonnegative(),
  runs: z.array(z.string()).min(1),
  split: Split,
});
export type MaterialiseItem = z.infer<typeof MaterialiseItem>;
