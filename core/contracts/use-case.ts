import { z } from 'zod';
import { FeatureSet } from './feature-set.ts';
import { Slug, UseCaseId } from './primitives.ts';

export const SignalDefinition = z.strictObject({
  name: z.string().min(1).max(64),
  unit: z.string().min(1).describe('UCUM code, for example m/s2, Cel, 1/min; 1 for a pure number'),
  kind: z.enum(['scalar', 'waveform']),
  range: z.tuple([z.number(), z.number()]).describe('physically possible values; outside is BAD'),
  sampleRateHz: z.number().positive().optional().describe('waveforms only'),
  samples: z.int().positive().optional().describe('waveforms only: length of one frame'),
});
export type SignalDefinition = z.infer<typeof SignalDefinition>;

/** What turns out to be true and how rows get their label from it. */
export const LabelDefinition = z.strictObject({
  outcome: z.literal('remaining-useful-life'),
  from: z.literal('failure').describe('the plant event kind that ends a run'),
  cap: z.number().positive().describe('piecewise-linear RUL: larger labels are set to this (Heimes 2008)'),
  unit: z.string().min(1),
});
export type LabelDefinition = z.infer<typeof LabelDefinition>;

export const TrainerSettings = z.strictObject({
  algorithm: z.literal('mlp-regressor'),
  hyperparameters: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  seed: z.int().nonnegative(),
  maxRuntimeSeconds: z.int().positive(),
});

/** Acceptance criteria, fixed before the test: every line must hold, on the upper 95 % bound where it says bound. */
export const GateCriteria = z.strictObject({
  minTrainRuns: z.int().positive(),
  minTestRuns: z.int().positive(),
  maxRmse: z.number().positive().describe('upper bound of RMSE on sealed test runs, label units'),
  maxRmseOverChampion: z.number().positive().describe('challenger RMSE / champion RMSE on the same runs'),
  maxVariantRmseRatio: z.number().min(1).describe('a variant may be this much worse than fp32 to be admitted'),
});
export type GateCriteria = z.infer<typeof GateCriteria>;

export const Fallback = z.strictObject({
  kind: z.literal('hold').describe('tell the line "undecided": a person or a schedule decides'),
  message: z.string().min(1),
});

/** How a number becomes a decision: below `alarmBelow` the unit fails, inside the band nobody is sure. */
export const DecisionThresholds = z
  .strictObject({ alarmBelow: z.number(), undecidedBelow: z.number() })
  .refine((t) => t.undecidedBelow >= t.alarmBelow, 'undecidedBelow must not be under alarmBelow');

export const RolloutPolicy = z.strictObject({
  riskClass: z.enum(['automatic', 'person']),
  rings: z.array(z.int().nonnegative()).min(1),
  minDecisionsPerDevice: z.int().positive(),
  maxFallbackShare: z.number().min(0).max(1),
  bakeSeconds: z.int().nonnegative(),
  waveTimeoutSeconds: z.int().positive(),
});

/** One kind of prediction, whole: what a data scientist writes and what the registry keeps by digest. */
export const UseCase = z.strictObject({
  schema: z.literal('use-case/1'),
  id: UseCaseId,
  version: z.int().positive(),
  title: z.string().min(1),
  owner: z.string().min(1),
  assetClass: Slug,
  indexUnit: z.string().min(1).describe('what one frame is: cycle, hour, flight'),
  signals: z.array(SignalDefinition).min(1),
  featureSet: FeatureSet,
  label: LabelDefinition,
  trainer: TrainerSettings,
  gate: GateCriteria,
  thresholds: DecisionThresholds,
  fallback: Fallback,
  rollout: RolloutPolicy,
  latencyBudgetMs: z.number().positive(),
  expiresAfterDays: z.int().positive(),
  seal: z.strictObject({
    testShare: z.number().min(0.05).max(0.6),
    calibrationShare: z.number().min(0.05).max(0.5),
    salt: z.string().min(1),
  }),
});
export type UseCase = z.infer<typeof UseCase>;
