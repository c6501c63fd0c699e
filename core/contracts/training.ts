import { z } from 'zod';
import { Digest } from './primitives.ts';

/**
 * Hyperparameters as the SageMaker container sees them: all strings (CreateTrainingJob allows nothing else).
 * Channels `train` and `calibration`: features of that split (Parquet, columns of FeatureRow, `x` a list of doubles).
 * Output in the model folder: model.fp32.onnx, metrics.json, baseline.json, envelope.json.
 */
export const TrainingHyperparameters = z.strictObject({
  algorithm: z.literal('mlp-regressor'),
  seed: z.string().regex(/^\d+$/),
  feature_names: z.string().describe('JSON array of names, in order'),
  feature_set_digest: Digest,
  snapshot_digest: Digest,
  settings: z.string().describe('JSON object: the trainer settings of the use case'),
  season: z.string().optional().describe('JSON object: `season` of the drift policy of the use case, where it has one'),
});

/** metrics.json of a training job. */
export const TrainingMetrics = z.strictObject({
  schema: z.literal('training-metrics/1'),
  snapshotDigest: Digest,
  featureSetDigest: Digest,
  trainRows: z.int().positive(),
  calibrationRows: z.int().nonnegative(),
  trainRmse: z.number(),
  calibrationRmse: z.number(),
  seed: z.int(),
  settings: z.record(z.string(), z.unknown()),
  libraries: z.record(z.string(), z.string()),
});
export type TrainingMetrics = z.infer<typeof TrainingMetrics>;

/** envelope.json: validated input range per feature, in order. */
export const Envelope = z.strictObject({
  schema: z.literal('envelope/1'),
  ranges: z.array(z.tuple([z.number(), z.number()])),
});

/** quantize.json of a processing job: inputs /opt/ml/processing/input/{model,calibration}, output /opt/ml/processing/output with model.int8.onnx. */
export const QuantizeReport = z.strictObject({
  schema: z.literal('quantize-report/1'),
  method: z.literal('static-qdq-int8'),
  calibrationRows: z.int().positive(),
  fp32Bytes: z.int().positive(),
  int8Bytes: z.int().positive(),
  maxAbsDifference: z.number().nonnegative().describe('largest |int8 - fp32| on calibration rows, label units'),
});
export type QuantizeReport = z.infer<typeof QuantizeReport>;
