import { z } from 'zod';
import { DriftPolicy } from './drift.ts';
import { FeatureSet } from './feature-set.ts';
import { OutcomePolicy } from './label-request.ts';
import { Slug, UseCaseId } from './primitives.ts';
import { QualityRules } from './quality.ts';

export const SignalDefinition = z.strictObject({
  name: z.string().min(1).max(64),
  unit: z.string().min(1).describe('UCUM code, for example m/s2, Cel, 1/min; 1 for a pure number'),
  kind: z.enum(['scalar', 'waveform']),
  range: z.tuple([z.number(), z.number()]).describe('physically possible values; outside is BAD'),
  sampleRateHz: z.number().positive().optional().describe('waveforms only'),
  samples: z.int().positive().optional().describe('waveforms only: length of one frame'),
  quality: QualityRules.omit({ range: true })
    .optional()
    .describe('what else the signal is expected to do; a rule that is absent is not checked'),
});
export type SignalDefinition = z.infer<typeof SignalDefinition>;

/**
 * How values that come one by one become frames: each frame is a block of time, `[k·every, (k+1)·every)` since 1970 UTC,
 * so that every device and every restart cuts alike (docs/data-quality.md).
 */
export const Framing = z.strictObject({
  everySeconds: z.number().min(0.001).describe('length of a block'),
  latenessSeconds: z
    .number()
    .nonnegative()
    .describe('a block is closed by the first value that lies this much after its end: what comes later is late'),
  scalars: z
    .record(
      z.string(),
      z.strictObject({
        take: z.enum(['last', 'mean']).describe('which value of the block'),
        carrySeconds: z
          .number()
          .positive()
          .optional()
          .describe(
            'a source that reports only changes is silent for so long at most: until then its last value holds',
          ),
      }),
    )
    .optional()
    .describe('by signal; without: the last value of the block, none is carried'),
  contextSignal: z.string().optional().describe('its values name the context: a change cuts the block'),
  runSignal: z.string().optional().describe('its values name the run: a change cuts the block, and counts from 1'),
});
export type Framing = z.infer<typeof Framing>;

/** What turns out to be true and how rows get their label from it. */
export const LabelDefinition = z.strictObject({
  outcome: z.literal('remaining-useful-life'),
  from: z.literal('failure').describe('the plant event kind that ends a run'),
  cap: z.number().positive().describe('piecewise-linear RUL: larger labels are set to this (Heimes 2008)'),
  unit: z.string().min(1),
});
export type LabelDefinition = z.infer<typeof LabelDefinition>;

export const Hyperparameters = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export type Hyperparameters = z.infer<typeof Hyperparameters>;

export const TrainerSettings = z.strictObject({
  algorithm: z.literal('mlp-regressor'),
  hyperparameters: Hyperparameters,
  candidates: z
    .array(Hyperparameters)
    .optional()
    .describe('what `millwright evaluate` chooses from by folds over training runs; a retrain takes `hyperparameters`'),
  seed: z.int().nonnegative(),
  maxRuntimeSeconds: z.int().positive(),
});

/** Acceptance criteria, fixed before the test: every line must hold, on the upper 95 % bound where it says bound. */
export const GateCriteria = z.strictObject({
  minTrainRuns: z.int().positive(),
  minTestRuns: z.int().positive(),
  maxRmse: z.number().positive().describe('upper bound of RMSE on sealed test runs, label units'),
  maxRmseOverChampion: z
    .number()
    .positive()
    .describe('upper bound of challenger RMSE / champion RMSE on sealed runs that the champion was judged on before'),
  minSinceRuns: z
    .int()
    .positive()
    .describe('sealed runs that ended after the champion learnt; with fewer, a retrain for drift is undecided'),
  maxRmseOverChampionSince: z
    .number()
    .positive()
    .describe('upper bound of challenger RMSE / champion RMSE on the sealed runs since then; below 1 = must be better'),
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

/**
 * Sequential test of a wave: the new package against the champion shadowed on the same frames of the same devices.
 * A batch of consecutive frames of one asset is one observation: the share of frames on which the two disagree, that is
 * differ by more than `tolerance`, or one answers and the other does not.
 */
export const ShadowPolicy = z
  .strictObject({
    tolerance: z.number().positive().describe('label units'),
    batch: z.int().min(1).max(50).describe('frames in one observation: neighbours of one run are not independent'),
    maxDisagreement: z.number().min(0).max(1).describe('share that is acceptable where nothing else was measured'),
    margin: z.number().positive().max(1).describe('a share this much above the acceptable one is not to be missed'),
    alpha: z.number().positive().max(0.5).describe('probability to revert a package that is acceptable'),
    beta: z.number().positive().max(0.5).describe('probability to let one pass that is not'),
  })
  .refine((p) => p.maxDisagreement + p.margin < 1, 'maxDisagreement + margin must be below 1');
export type ShadowPolicy = z.infer<typeof ShadowPolicy>;

export const RolloutPolicy = z.strictObject({
  riskClass: z.enum(['automatic', 'person']),
  rings: z.array(z.int().nonnegative()).min(1),
  minDecisionsPerDevice: z.int().positive(),
  maxFallbackShare: z.number().min(0).max(1),
  bakeSeconds: z.int().nonnegative(),
  waveTimeoutSeconds: z.int().positive(),
  shadow: ShadowPolicy,
});

/**
 * How a model line is judged by its outcomes and inputs (docs/judging.md). Times are event time: what the plant's events
 * say, not the clock of whoever reads them, so that a replay gives the same judgement.
 */
export const JudgingPolicy = z.strictObject({
  lossTolerance: z.number().nonnegative().describe('added to the bound of the validation loss: what is still as good'),
  alarmAt: z
    .number()
    .min(10)
    .max(1e9)
    .describe('e-value at which a loss is confirmed; bounds false alarms: run length ≥ this'),
  minOutcomes: z.int().positive().describe('outcomes since the champion serves before it may ask for a retrain'),
  leaveAfter: z
    .int()
    .positive()
    .describe('outcomes in a row below the root of `alarmAt` to become healthy again; as many windows of a device'),
  cooldownDays: z.number().nonnegative().describe('after a retrain that made no champion; doubles each time'),
  maxRetrains: z.int().positive().describe('the line asks for so many within `budgetDays` at most'),
  budgetDays: z.number().positive(),
  maturityDays: z.number().nonnegative().describe('a unit this old should have an outcome: counts in coverage'),
  psiWatch: z.number().positive().describe('population PSI that is tolerated: above it, look'),
  psiSerious: z.number().positive(),
  alpha: z.number().positive().max(0.2).describe('level of the tolerance test on each window'),
  drift: DriftPolicy.optional().describe('how inputs are judged beyond that; absent: all defaults'),
  outcomes: OutcomePolicy.optional().describe('whose outcomes become known; absent: those of every unit'),
});
export type JudgingPolicy = z.infer<typeof JudgingPolicy>;

/** What an operator reads with an alert of each kind. */
export const AlertTexts = z.strictObject({
  fail: z.string().min(1).max(200).describe('next action when the model says fail'),
  undecided: z.string().min(1).max(200).describe('next action when it is not sure'),
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
  framing: Framing.optional().describe('only where values come one by one; absent: machines send whole frames'),
  featureSet: FeatureSet,
  label: LabelDefinition,
  trainer: TrainerSettings,
  gate: GateCriteria,
  thresholds: DecisionThresholds,
  fallback: Fallback,
  rollout: RolloutPolicy,
  judging: JudgingPolicy,
  nextAction: AlertTexts,
  latencyBudgetMs: z.number().positive(),
  expiresAfterDays: z.int().positive(),
  seal: z.strictObject({
    testShare: z.number().min(0.05).max(0.6),
    calibrationShare: z.number().min(0.05).max(0.5),
    salt: z.string().min(1),
  }),
});
export type UseCase = z.infer<typeof UseCase>;
