import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import type { UseCaseDefinition } from '#core/contracts/source.ts';
import type { SignalDefinition, UseCase } from '#core/contracts/use-case.ts';
import { TURBOFAN_SENSORS, TURBOFAN_SIGNALS, turbofans } from './cmapss.ts';
import { simulatedSpindles } from './simulator.ts';
import { BPFI, BPFO, SAMPLE_RATE_HZ, SAMPLES } from './spindle.ts';

const scalar = (name: string, unit: string, range: [number, number]): SignalDefinition => ({
  name,
  unit,
  kind: 'scalar',
  range,
});

const feature = (
  name: string,
  of: string,
  signal: string,
  window: number,
  params: FeatureDefinition['params'] = {},
): FeatureDefinition => ({ name, feature: of, signal, window, params });

const ofVibration = (
  name: string,
  of: string,
  window: number,
  params: FeatureDefinition['params'] = {},
): FeatureDefinition => ({ ...feature(name, of, 'vibration', window, params), version: 2 });

/** What both definitions share: how a new model reaches the line, and how a champion is judged there. */
const shared = {
  schema: 'use-case/1',
  version: 1,
  owner: 'maintenance-engineering',
  fallback: { kind: 'hold', message: 'no trusted estimate: maintain by the schedule' },
  rollout: {
    riskClass: 'automatic',
    rings: [0, 1, 2],
    minDecisionsPerDevice: 5,
    maxFallbackShare: 0.2,
    bakeSeconds: 3,
    waveTimeoutSeconds: 120,
  },
  latencyBudgetMs: 250,
  expiresAfterDays: 365,
} as const;

/** Sequential test of a wave: four wrong batches in a row end it, seven right ones do (docs/judging.md). */
const shadow = { batch: 5, maxDisagreement: 0.1, margin: 0.3, alpha: 0.001, beta: 0.05 } as const;

const judging = {
  alarmAt: 1000,
  leaveAfter: 8,
  cooldownDays: 7,
  maxRetrains: 3,
  budgetDays: 90,
  psiWatch: 0.02,
  psiSerious: 0.1,
  alpha: 0.01,
} as const;

const spindles: UseCase = {
  ...shared,
  // A quarter of the range of the label: models that learnt from other runs differ less on machines both know.
  rollout: { ...shared.rollout, rings: [...shared.rollout.rings], shadow: { ...shadow, tolerance: 15 } },
  // Every bearing is opened when it is exchanged, within a week; until 44 are known there is too little to learn from.
  judging: { ...judging, lossTolerance: 0.02, minOutcomes: 44, maturityDays: 14 },
  nextAction: {
    fail: 'plan the exchange of the bearing within the time that is left; open it and say what was found',
    undecided: 'look at the spindle at the next stop: listen, feel its warmth, check the sensors',
  },
  id: 'predictive-maintenance',
  title: 'Remaining useful life of spindle bearings',
  assetClass: 'spindle',
  indexUnit: 'hour',
  signals: [
    scalar('speed', '1/min', [0, 6000]),
    scalar('load', '1', [0, 1.2]),
    scalar('temperature', 'Cel', [-20, 150]),
    scalar('current', 'A', [0, 60]),
    {
      name: 'vibration',
      unit: 'm/s2',
      kind: 'waveform',
      range: [-200, 200],
      sampleRateHz: SAMPLE_RATE_HZ,
      samples: SAMPLES,
    },
  ],
  featureSet: {
    schema: 'feature-set/1',
    id: 'spindle-bearing',
    owner: shared.owner,
    description: 'Severity and repetition of bearing impacts, and what the machine was asked to do.',
    features: [
      feature('speed', 'mean', 'speed', 8),
      feature('load', 'mean', 'load', 24),
      feature('temperature', 'decayed-mean', 'temperature', 16, { decay: 0.8 }),
      feature('current', 'decayed-mean', 'current', 16, { decay: 0.8 }),
      ofVibration('vibration_rms', 'rms', 8),
      ofVibration('vibration_rms_long', 'rms', 32),
      ofVibration('vibration_kurtosis', 'kurtosis', 8),
      ofVibration('vibration_crest', 'crest-factor', 8),
      ofVibration('outer_race', 'envelope-order', 8, { order: BPFO, speed: 'speed' }),
      ofVibration('inner_race', 'envelope-order', 8, { order: BPFI, speed: 'speed' }),
      ofVibration('unbalance', 'order-band', 8, { order: 1, speed: 'speed' }),
    ],
  },
  label: { outcome: 'remaining-useful-life', from: 'failure', cap: 60, unit: 'h' },
  trainer: {
    algorithm: 'mlp-regressor',
    hyperparameters: { hidden: '48,24', alpha: 0.1, epochs: 60, members: 3, learningRate: 0.003 },
    seed: 7,
    maxRuntimeSeconds: 300,
  },
  gate: {
    minTrainRuns: 20,
    minTestRuns: 8,
    maxRmse: 12,
    // Thirteen sealed lives: two sound models differ by up to this on them, by chance.
    maxRmseOverChampion: 1.2,
    minSinceRuns: 6,
    maxRmseOverChampionSince: 0.95,
    maxVariantRmseRatio: 1.1,
  },
  thresholds: { alarmBelow: 8, undecidedBelow: 12 },
  seal: { testShare: 0.25, calibrationShare: 0.15, salt: 'spindle-bearing-1' },
};

const engines: UseCase = {
  ...shared,
  rollout: { ...shared.rollout, rings: [...shared.rollout.rings], shadow: { ...shadow, tolerance: 15 } },
  judging: { ...judging, lossTolerance: 0.015, minOutcomes: 40, maturityDays: 14 },
  nextAction: {
    fail: 'plan the removal of the engine within the flights that are left; say what the shop found',
    undecided: 'look at the engine at the next borescope inspection',
  },
  id: 'turbofan-life',
  title: 'Remaining useful life of turbofan engines (NASA C-MAPSS FD001)',
  assetClass: 'turbofan',
  indexUnit: 'flight',
  signals: [...TURBOFAN_SIGNALS],
  featureSet: {
    schema: 'feature-set/1',
    id: 'turbofan',
    owner: shared.owner,
    description: 'Flights so far; level and trend, short and long, of the sensors that change in FD001.',
    features: [
      feature('flights', 'latest', 'flights', 1),
      ...TURBOFAN_SENSORS.flatMap((s) => [
        feature(`${s}_level_20`, 'mean', s, 20),
        feature(`${s}_level_60`, 'mean', s, 60),
        feature(`${s}_trend_30`, 'slope', s, 30, { min: 12 }),
        feature(`${s}_trend_100`, 'slope', s, 100, { min: 12 }),
      ]),
    ],
  },
  label: { outcome: 'remaining-useful-life', from: 'failure', cap: 125, unit: 'flight' },
  trainer: {
    algorithm: 'mlp-regressor',
    hyperparameters: { hidden: '128,64', alpha: 0.1, epochs: 25, members: 3, learningRate: 0.001 },
    candidates: [
      { hidden: '128,64', alpha: 0.1, epochs: 25, members: 3, learningRate: 0.001 },
      { hidden: '128,64', alpha: 0.3, epochs: 25, members: 3, learningRate: 0.001 },
      { hidden: '64,32', alpha: 0.1, epochs: 40, members: 3, learningRate: 0.001 },
      { hidden: '64,32', alpha: 1, epochs: 40, members: 3, learningRate: 0.001 },
      { hidden: '256,128', alpha: 0.3, epochs: 15, members: 3, learningRate: 0.001 },
    ],
    seed: 7,
    maxRuntimeSeconds: 300,
  },
  gate: {
    minTrainRuns: 40,
    minTestRuns: 15,
    maxRmse: 12,
    maxRmseOverChampion: 1.1,
    minSinceRuns: 6,
    maxRmseOverChampionSince: 0.95,
    maxVariantRmseRatio: 1.1,
  },
  thresholds: { alarmBelow: 15, undecidedBelow: 25 },
  seal: { testShare: 0.2, calibrationShare: 0.1, salt: 'turbofan-1' },
};

export const definitions: readonly UseCaseDefinition[] = [
  { useCase: spindles, needsData: false, source: simulatedSpindles },
  {
    useCase: engines,
    needsData: true,
    recognises: (files) =>
      ['train_FD001.txt', 'test_FD001.txt', 'RUL_FD001.txt'].every((f) =>
        files.some((g) => g === f || g === `${f}.gz`),
      ),
    source: turbofans,
  },
];
