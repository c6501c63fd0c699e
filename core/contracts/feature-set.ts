import { z } from 'zod';
import { Slug } from './primitives.ts';

/**
 * One number of the model's input: `feature` is the name of a file in core/features, applied to `signal` over the
 * last `window` frames of the run (1 = only the newest frame). `params` are the feature's own.
 */
export const FeatureDefinition = z.strictObject({
  name: z.string().regex(/^[a-z0-9_]+$/),
  feature: Slug,
  signal: z.string().min(1),
  window: z.int().min(1).max(4096),
  params: z
    .record(z.string(), z.union([z.number(), z.string(), z.boolean(), z.array(z.number()), z.array(z.string())]))
    .default({}),
  version: z.int().positive().optional().describe('of the code of the feature; absent = 1'),
});
export type FeatureDefinition = z.infer<typeof FeatureDefinition>;

/** An ordered list of feature definitions; its canonical JSON names it by digest. */
export const FeatureSet = z.strictObject({
  schema: z.literal('feature-set/1'),
  id: Slug,
  owner: z.string().min(1),
  description: z.string().min(1),
  features: z.array(FeatureDefinition).min(1).max(400),
});
export type FeatureSet = z.infer<typeof FeatureSet>;

/** One row that features were computed for; the columns of the features table, `x` in feature-set order. */
export const FeatureRow = z.strictObject({
  asset: z.string(),
  run: z.string(),
  index: z.int().positive(),
  sourceTime: z.string(),
  context: z.string().optional().describe('of its frame; absent in tables written without it'),
  label: z.number().nullable(),
  x: z.array(z.number()),
});
export type FeatureRow = z.infer<typeof FeatureRow>;
