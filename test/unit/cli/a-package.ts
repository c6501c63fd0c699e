import { digest } from './fakes.ts';

/** Manifest of a package with two features, `speed` and `rms`. */
export const manifest = {
  schema: 'model-package/1',
  modelLine: 'predictive-maintenance/plant-a',
  releaseNumber: 3,
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: '2027-01-01T00:00:00.000Z',
  owner: 'me',
  useCaseDigest: digest('1'),
  featureSet: {
    schema: 'feature-set/1',
    id: 'f',
    owner: 'me',
    description: 'd',
    features: ['speed', 'rms'].map((name) => ({ name, feature: 'mean', signal: 's', window: 1, params: {} })),
  },
  featureSetDigest: digest('2'),
  snapshotDigest: digest('b'),
  trainingJob: 'job-1',
  evaluationDigest: digest('3'),
  signals: [{ name: 's', unit: '1', kind: 'scalar', range: [0, 1] }],
  label: { outcome: 'remaining-useful-life', from: 'failure', cap: 60, unit: 'h' },
  indexUnit: 'hour',
  thresholds: { alarmBelow: 8, undecidedBelow: 12 },
  fallback: { kind: 'hold', message: 'hold' },
  latencyBudgetMs: 250,
  inputEnvelope: [
    [0, 100],
    [0, 1],
  ],
  variants: [
    { name: 'fp32', executor: 'onnxruntime', file: 'm', digest: digest('4'), bytes: 9, admitted: true, testRmse: 7.5 },
    {
      name: 'int8',
      executor: 'onnxruntime',
      file: 'n',
      digest: digest('5'),
      bytes: 9,
      admitted: false,
      testRmse: 9.25,
    },
  ],
  golden: {
    file: 'golden.bin',
    digest: digest('6'),
    features: 2,
    samples: [{ row: 0, expected: 1 }],
    tolerance: 0.1,
    int8Tolerance: 1,
  },
  baseline: { file: 'baseline.json', digest: digest('7') },
};
/** Normal as training saw it: both features 50 ± 10. */
export const baseline = {
  schema: 'baseline/2',
  featureSetDigest: digest('2'),
  rows: 10,
  windows: { rows: 100, count: 0 },
  features: ['speed', 'rms'].map((name) => ({
    name,
    cells: { kind: 'numeric', edges: [50], atoms: [], range: null, center: 50, scale: 10 },
    counts: [5, 5, 0, 0, 0, 0],
  })),
  joint: null,
  contexts: [],
};
