import { z } from 'zod';
import { FeatureSet } from './feature-set.ts';
import { Digest, Instant, ModelLineId } from './primitives.ts';
import { DecisionThresholds, Fallback, LabelDefinition, SignalDefinition } from './use-case.ts';

export const Variant = z.strictObject({
  name: z.enum(['fp32', 'int8']),
  executor: z.literal('onnxruntime'),
  file: z.string(),
  digest: Digest,
  bytes: z.int().positive(),
  admitted: z.boolean().describe('passed parity with fp32 in evaluation; devices may only run admitted variants'),
  testRmse: z.number().nonnegative(),
});
export type Variant = z.infer<typeof Variant>;

/** Golden sample: row `i` of golden.bin (float32 LE, features wide) must give `expected` within `tolerance` on fp32; int8 within `int8Tolerance`. */
export const GoldenSample = z.strictObject({
  row: z.int().nonnegative(),
  expected: z.number(),
});

/**
 * Everything one model needs on the device, as one unit. The package digest is the sha256 of the canonical JSON of
 * this manifest: it names every other file by digest, so nothing that changes a decision lives anywhere else.
 */
export const ModelPackageManifest = z.strictObject({
  schema: z.literal('model-package/1'),
  modelLine: ModelLineId,
  releaseNumber: z
    .int()
    .positive()
    .describe('rises with every package of a line; a device refuses to go back unless told'),
  createdAt: Instant,
  expiresAt: Instant,
  owner: z.string(),
  useCaseDigest: Digest,
  featureSet: FeatureSet,
  featureSetDigest: Digest,
  snapshotDigest: Digest,
  trainingJob: z.string(),
  evaluationDigest: Digest,
  signals: z.array(SignalDefinition),
  label: LabelDefinition,
  indexUnit: z.string(),
  thresholds: DecisionThresholds,
  fallback: Fallback,
  latencyBudgetMs: z.number().positive(),
  inputEnvelope: z
    .array(z.tuple([z.number(), z.number()]))
    .describe('per feature, the validated range; outside it the answer is undecided'),
  variants: z.array(Variant).min(1),
  golden: z.strictObject({
    file: z.literal('golden.bin'),
    digest: Digest,
    features: z.int().positive(),
    samples: z.array(GoldenSample).min(1),
    tolerance: z.number().positive(),
    int8Tolerance: z.number().positive(),
  }),
  baseline: z.strictObject({ file: z.literal('baseline.json'), digest: Digest }),
});
export type ModelPackageManifest = z.infer<typeof ModelPackageManifest>;

/** Detached signature file `signature.json` beside the manifest: ECDSA P-256 over SHA-256 of the package digest's UTF-8 bytes, DER, base64. */
export const PackageSignature = z.strictObject({
  schema: z.literal('package-signature/1'),
  packageDigest: Digest,
  keyId: z.string(),
  algorithm: z.literal('ECDSA_SHA_256'),
  signature: z.base64(),
});
export type PackageSignature = z.infer<typeof PackageSignature>;
