import { z } from 'zod';
import { Digest, ModelLineId } from './primitives.ts';

/** Errors of one variant on one shard of sealed test runs: sums, so that shards add up exactly to the whole. */
export const ShardErrors = z.strictObject({
  variant: z.enum(['fp32', 'int8', 'champion']),
  model: Digest.describe('of the file whose answers these are'),
  rows: z.int().nonnegative(),
  perRun: z.array(
    z.strictObject({
      run: z.string(),
      rows: z.int().positive(),
      sumSquared: z.number().nonnegative(),
      lastError: z.number(),
    }),
  ),
});
export type ShardErrors = z.infer<typeof ShardErrors>;

/** RMSE with a bootstrap interval over runs (runs, not rows: rows of one run are not independent). */
export const Estimate = z.strictObject({
  rmse: z.number(),
  lower: z.number(),
  upper: z.number(),
  runs: z.int(),
  rows: z.int(),
});
export type Estimate = z.infer<typeof Estimate>;

export const EvaluationReport = z.strictObject({
  schema: z.literal('evaluation-report/1'),
  modelLine: ModelLineId,
  snapshotDigest: Digest,
  trainingJob: z.string(),
  models: z
    .strictObject({ fp32: Digest, int8: Digest })
    .describe('digests of the files that were judged; a package has these and no others'),
  challenger: z.strictObject({ fp32: Estimate, int8: Estimate }),
  champion: Estimate.nullable().describe('on the same runs; null when the line has none'),
  championPackage: Digest.nullable(),
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;

export const GateReason = z.strictObject({
  criterion: z.string(),
  holds: z.boolean(),
  observed: z.number(),
  limit: z.number(),
});
export const GateVerdict = z.strictObject({
  schema: z.literal('gate-verdict/1'),
  verdict: z.enum(['pass', 'fail', 'undecided']),
  admittedVariants: z.array(z.enum(['fp32', 'int8'])),
  reasons: z.array(GateReason).min(1),
});
export type GateVerdict = z.infer<typeof GateVerdict>;
