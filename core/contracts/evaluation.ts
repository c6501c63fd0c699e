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
      sumLoss: z.number().nonnegative().optional().describe('bounded loss of each row, summed (core/outcomes/loss)'),
      sumError: z.number().optional().describe('answer minus label of each row as a share of the cap, summed'),
      disagreeing: z
        .int()
        .nonnegative()
        .optional()
        .describe(
          'rows on which this variant and the champion differ beyond the tolerance of the rollout policy, or the champion has no answer',
        ),
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

/** Ratio of two RMSE on the same runs, with a 95 % interval of a paired bootstrap over runs. */
export const Ratio = z.strictObject({ point: z.number(), lower: z.number(), upper: z.number() });
export type Ratio = z.infer<typeof Ratio>;

/** Challenger against champion on the same sealed runs, paired: the ratio of their RMSE with bounds over runs. */
export const Comparison = z.strictObject({ challenger: Estimate, champion: Estimate, ratio: Ratio });
export type Comparison = z.infer<typeof Comparison>;

/** Mean bounded loss of a run with the upper 95 % bound over runs: what outcomes on the line are held against. */
export const ValidationLoss = z.strictObject({
  mean: z.number(),
  upper: z.number(),
  runs: z.int(),
  method: z
    .enum(['bootstrap-t'])
    .optional()
    .describe('how bounds are made; absent: percentile bootstrap, too low where runs are few or their losses skewed'),
  bounds: z
    .array(z.strictObject({ level: z.number().positive().max(0.5), upper: z.number() }))
    .optional()
    .describe(
      'bounds that the mean exceeds with a smaller chance, in falling order of it: for lines that share a budget',
    ),
  error: z
    .tuple([z.number(), z.number()])
    .optional()
    .describe('90 % interval over runs of the mean of answer minus truth, as a share of the cap'),
});
export type ValidationLoss = z.infer<typeof ValidationLoss>;

/** Where and how often challenger and champion are expected to differ on the line. */
export const ExpectedDisagreement = z.strictObject({
  share: z
    .number()
    .min(0)
    .max(1)
    .describe('upper 95 % bound over runs, on assets where the champion is still a reference; 0 when there is none'),
  differsOn: z
    .array(z.string())
    .max(200)
    .describe(
      'assets on which the two differ so often on sealed runs that the champion is no reference there; of more than 200 those that differ most, because the record of a package and the plan of a release carry it',
    ),
});
export type ExpectedDisagreement = z.infer<typeof ExpectedDisagreement>;

export const EvaluationReport = z.strictObject({
  schema: z.literal('evaluation-report/1'),
  modelLine: ModelLineId,
  snapshotDigest: Digest,
  trainingJob: z.string(),
  models: z
    .strictObject({ fp32: Digest, int8: Digest })
    .describe('digests of the files that were judged; a package has these and no others'),
  challenger: z.strictObject({ fp32: Estimate, int8: Estimate }),
  parity: Ratio.optional().describe('int8 over fp32; without it no int8 is admitted'),
  champion: Estimate.nullable().describe('on the same runs; null when the line has none'),
  championPackage: Digest.nullable(),
  earlier: Comparison.nullable()
    .optional()
    .describe('sealed runs that the champion was judged on too: what was learnt is not lost'),
  since: Comparison.nullable()
    .optional()
    .describe('sealed runs that ended after the champion learnt: in neither training'),
  validationLoss: ValidationLoss.nullable().optional().describe('of the challenger, fp32'),
  expectedDisagreement: ExpectedDisagreement.nullable().optional().describe('null without a champion'),
});
export type EvaluationReport = z.infer<typeof EvaluationReport>;

export const GateReason = z.strictObject({
  criterion: z.string(),
  holds: z.boolean(),
  observed: z.number(),
  limit: z.number(),
});
export type GateReason = z.infer<typeof GateReason>;
export const GateVerdict = z.strictObject({
  schema: z.literal('gate-verdict/1'),
  verdict: z.enum(['pass', 'fail', 'undecided']),
  admittedVariants: z.array(z.enum(['fp32', 'int8'])),
  reasons: z.array(GateReason).min(1),
});
export type GateVerdict = z.infer<typeof GateVerdict>;
