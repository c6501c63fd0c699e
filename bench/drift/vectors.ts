import { alarmMetrics } from '#core/drift/alarm-metrics.ts';
import { averageOf, stepECusum, stepShiryaevRoberts } from '#core/drift/bets.ts';
import { adwinThreshold } from '#core/drift/detectors/adwin.ts';
import { DETECTORS } from '#core/drift/detectors-registry.ts';
import { jensenShannon } from '#core/drift/effects/jensen-shannon.ts';
import { psi, sharesOf } from '#core/drift/effects/psi.ts';
import { arlOneSided, arlTwoSided, limitForArl0 } from '#core/drift/limits/arl.ts';
import { gammaPQ, noncentralChi2 } from '#core/drift/tolerance/noncentral-chi2.ts';
import { normalUpper } from '#core/drift/tolerance/normal.ts';
import { toleranceTest } from '#core/drift/tolerance/tolerance-test.ts';
import { contingency, cramersV, goodnessOfFit } from './rules/contingency.ts';
import { expectedPerformance } from './rules/estimate.ts';
import {
  ksAsymptotic,
  ksExact,
  ksLimit,
  ksOneSample,
  ksStatistic,
  wassersteinDeepchecks,
  wassersteinEvidently,
  wassersteinOf,
} from './rules/samples.ts';
import { hellinger, kullbackLeibler, largestDifference, PSI_CONVENTIONS, totalVariation } from './rules/shares.ts';

/** A reference value of drift.md §4 (scipy 1.17.1 where it does not name another source), and what the code here says. */
export interface Vector {
  readonly name: string;
  readonly what: string;
  readonly ours: () => number;
  readonly expected: number;
  /** Relative deviation that is allowed. */
  readonly relative?: number;
  /** Instead: absolute, for what is printed with fewer digits. */
  readonly absolute?: number;
}

/** Tails of distributions are given to nine digits. */
const TAIL = 1e-9;

const P = [0.1, 0.2, 0.3, 0.4];
const Q = [0.4, 0.3, 0.2, 0.1];
const distances: readonly Vector[] = [
  ['PSI', () => psi(P, Q), 0.9128696382935673],
  ['Kullback–Leibler', () => kullbackLeibler(P, Q), 0.45643481914678347],
  ['Jensen–Shannon distance, base e', () => Math.sqrt(jensenShannon(P, Q) * Math.LN2), 0.3262516441126745],
  ['Jensen–Shannon distance, base 2', () => Math.sqrt(jensenShannon(P, Q)), 0.3918681606471552],
  ['Jensen–Shannon divergence, base 2', () => jensenShannon(P, Q), 0.153560655328985],
  ['Hellinger', () => hellinger(P, Q), 0.3318162917087773],
  ['total variation', () => totalVariation(P, Q), 0.4],
  ['largest difference', () => largestDifference(P, Q), 0.3],
].map(([what, ours, expected]) => ({ name: 'V1', what, ours, expected }) as Vector);

const [BEFORE, AFTER] = [
  [50, 50, 0],
  [40, 40, 20],
];
const emptyCells: readonly Vector[] = [
  ['Evidently', 1.5640491119253044],
  ['deepchecks', 0.6138178422381002],
  ['Frouros', 141.40202483422888],
  ['floor 1e-6', 2.4858310332962312],
  ['one in each cell', 0.6335487385909594],
].map(([what, expected]) => ({
  name: 'V2',
  what: `PSI with an empty cell, ${what}`,
  ours: () =>
    (PSI_CONVENTIONS[what as string] as (r: readonly number[], c: readonly number[]) => number)(BEFORE, AFTER),
  expected: expected as number,
}));

const bias = (): number => {
  const counts = new Array<number>(10).fill(50);
  const shares = new Array<number>(10).fill(0.1);
  const test = toleranceTest({ shares, rows: 10_000, counts, tolerance: 0.02, alpha: 0.01 });
  return test.psi - test.biasCorrected;
};

const cdf = (z: number): number => (1 + Math.sign(z) * gammaPQ(0.5, (z * z) / 2)[0]) / 2;
/** Deciles of a standard normal, exact: the quantile by Newton's method from one of seven digits. */
const DECILES = Array.from({ length: 9 }, (_, i) => {
  let z = normalUpper(1 - (i + 1) / 10);
  for (let k = 0; k < 3; k++) z -= ((cdf(z) - (i + 1) / 10) * Math.sqrt(2 * Math.PI)) / Math.exp(-(z * z) / 2);
  return z;
});
const onDeciles = (shift: number, scale: number): number => {
  const moved = [...DECILES.map((e) => cdf((e - shift) / scale)), 1];
  return psi(
    new Array<number>(10).fill(0.1),
    moved.map((c, i) => c - (moved[i - 1] ?? 0)),
  );
};
const shifts: readonly Vector[] = [
  ...[
    [0.1, 0.0096],
    [0.2, 0.0383],
    [0.25, 0.0598],
    [0.3, 0.0861],
    [0.5, 0.2377],
    [1, 0.9261],
    [2, 3.3126],
  ].map(([shift = 0, expected = 0]) => ({ shift, scale: 1, expected })),
  ...[
    [0.8, 0.0758],
    [1.25, 0.0638],
    [1.5, 0.1935],
    [2, 0.4908],
  ].map(([scale = 1, expected = 0]) => ({ shift: 0, scale, expected })),
].map(({ shift, scale, expected }) => ({
  name: 'V4',
  what: `PSI on deciles of a normal, shift ${shift}, scale ${scale}`,
  ours: () => onDeciles(shift, scale),
  expected,
  absolute: 5e-5,
}));

const X = [1, 2, 3, 4, 5];
const Y = [3, 4, 5, 6, 7];
const LONG = Array.from({ length: 100 }, (_, i) => i / 100);
const SHIFTED = Array.from({ length: 80 }, (_, i) => 0.1 + i / 80);
const samples: readonly Vector[] = [
  { name: 'V5', what: 'KS D', ours: () => ksStatistic(X, Y), expected: 0.4 },
  { name: 'V5', what: 'KS exact p', ours: () => ksExact(0.4, 5, 5), expected: 0.873015873015873 },
  { name: 'V5', what: 'KS asymptotic p', ours: () => ksAsymptotic(0.4, 5, 5), expected: 0.82 },
  { name: 'V5', what: 'KS D, 100 and 80', ours: () => ksStatistic(LONG, SHIFTED), expected: 0.11 },
  { name: 'V5', what: 'KS exact p, 100 and 80', ours: () => ksExact(0.11, 100, 80), expected: 0.6168250447016053 },
  {
    name: 'V5',
    what: 'KS asymptotic p, 100 and 80',
    ours: () => ksAsymptotic(0.11, 100, 80),
    expected: 0.6218446234358762,
  },
  {
    name: 'V5',
    what: 'kstwo tail, D 0.05 of 2000 and 2000',
    ours: () => ksOneSample(0.05, 1000),
    expected: 0.013012074781090332,
    relative: TAIL,
  },
  {
    name: 'V5',
    what: "Kolmogorov's limit, D 0.05 of 2000 and 2000",
    ours: () => ksLimit(0.05, 1000),
    expected: 0.013475889875863678,
    relative: TAIL,
  },
  { name: 'V6', what: 'Wasserstein', ours: () => wassersteinOf([0, 1, 3], [5, 6, 8]), expected: 5 },
  {
    name: 'V6',
    what: 'Wasserstein, Evidently',
    ours: () => wassersteinEvidently([0, 1, 3], [5, 6, 8]),
    expected: 4.0089186286863665,
  },
  {
    name: 'V6',
    what: 'Wasserstein, deepchecks',
    ours: () => wassersteinDeepchecks([0, 1, 3], [5, 6, 8]),
    expected: 0.625,
  },
];

const R = [50, 30, 20];
const C = [40, 40, 20];
const TWO = [
  [90, 10],
  [80, 20],
];
const tables: readonly Vector[] = [
  ['contingency', () => contingency([R, C]).statistic, 2.5396825396825395],
  ['contingency p', () => contingency([R, C]).p, 0.28087620176428163],
  ['goodness of fit, Evidently', () => goodnessOfFit(R, C).statistic, 5.333333333333334],
  ['goodness of fit p, Evidently', () => goodnessOfFit(R, C).p, 0.0694834512228015],
  ["Cramér's V, corrected", () => cramersV(R, C), 0.051590076515443624],
  ['2 × 2 with Yates', () => contingency(TWO).statistic, 3.1764705882352944],
  ['2 × 2 with Yates, p', () => contingency(TWO).p, 0.07470593331213068],
  ['2 × 2 without', () => contingency(TWO, false).statistic, 3.9215686274509807],
  ['2 × 2 without, p', () => contingency(TWO, false).p, 0.04767038065616147],
].map(([what, ours, expected]) => ({ name: 'V7', what, ours, expected }) as Vector);

/** First record at which a detector alarms on the streams of V8 and V9. */
const ERRORS = Array.from({ length: 2000 }, (_, i) => Number(i < 1000 ? i % 10 === 0 : i % 2 === 0));
const NUMBERS = Array.from({ length: 2000 }, (_, i) => (i < 1000 ? i % 2 : 4 + (i % 4)));
const alarmOf =
  (name: string, stream: readonly number[], options: Readonly<Record<string, number>>, which = 0) =>
  () => {
    const alarms: number[] = [];
    let detector = (DETECTORS[name] as (typeof DETECTORS)[string]).start(options);
    for (const [i, x] of stream.entries()) {
      detector = detector.update(x);
      if (!detector.inAlarm) continue;
      alarms.push(i);
      detector = detector.reset();
    }
    return alarms[which] ?? Number.NaN;
  };
const sequential: readonly Vector[] = [
  {
    name: 'V8',
    what: 'ADWIN threshold, 100 and 100',
    ours: () => adwinThreshold(100, 100, { variance: 0.25, width: 200, delta: 0.002, least: 5 }),
    expected: 0.41797114689454334,
  },
  {
    name: 'V8',
    what: 'ADWIN threshold, 1000 and 50',
    ours: () => adwinThreshold(1000, 50, { variance: 0.09, width: 1050, delta: 0.002, least: 5 }),
    expected: 0.3244595308512084,
  },
  { name: 'V8', what: 'ADWIN, numbers', ours: alarmOf('adwin', NUMBERS, {}), expected: 1023 },
  { name: 'V8', what: 'ADWIN, errors', ours: alarmOf('adwin', ERRORS, {}), expected: 1119 },
  ...(
    [
      ['ddm', 1048],
      ['hddm-a', 1020],
      ['hddm-w', 1066],
      ['rddm', 1028],
      ['ecdd', 1006],
      ['stepd', 1014],
    ] as const
  ).map(([name, expected]) => ({ name: 'V9', what: name, ours: alarmOf(name, ERRORS, {}), expected })),
  { name: 'V9', what: 'eddm, false', ours: alarmOf('eddm', ERRORS, {}), expected: 290 },
  { name: 'V9', what: 'eddm', ours: alarmOf('eddm', ERRORS, {}, 1), expected: 1182 },
  {
    name: 'V9',
    what: 'page-hinkley, Frouros',
    ours: alarmOf('page-hinkley', ERRORS, { fromExtreme: 0 }),
    expected: 1160,
  },
  { name: 'V9', what: 'page-hinkley, river', ours: alarmOf('page-hinkley', ERRORS, {}), expected: 1134 },
  { name: 'V9', what: 'page-hinkley, numbers', ours: alarmOf('page-hinkley', NUMBERS, {}), expected: 1010 },
];

const runLengths: readonly Vector[] = [
  ['ARL0, k 0.5, h 4', () => arlOneSided({ k: 0.5, h: 4 }), 335.37, 0.005],
  ['two-sided', () => arlTwoSided({ k: 0.5, h: 4 }), 167.68, 0.005],
  ['ARL of 1 σ', () => arlOneSided({ k: 0.5, h: 4 }, 1), 8.38, 0.005],
  ['ARL0, k 0.5, h 5', () => arlOneSided({ k: 0.5, h: 5 }), 930.89, 0.005],
  ['h of 1e6, k 0.125', () => limitForArl0(0.125, 1e6), 43.0077, 5e-5],
  ['h of 1e6, k 0.25', () => limitForArl0(0.25, 1e6), 23.6951, 5e-5],
  ['h of 1e6, k 0.5', () => limitForArl0(0.5, 1e6), 12.6572, 5e-5],
].map(([what, ours, expected, absolute]) => ({ name: 'V10', what, ours, expected, absolute }) as Vector);

const BET_STREAM = [0, 0, 1, 0, 1, 1];
const lastOf = (step: typeof stepECusum, from: number) => (): number =>
  averageOf(BET_STREAM.reduce<readonly number[]>((states, x) => step(states, x, 0.1, [0.2]), [from]));
const CBPE = () => expectedPerformance([0.9, 0.8, 0.3, 0.4], [1, 1, 0, 0]);

export const VECTORS: readonly Vector[] = [
  ...distances,
  ...emptyCells,
  {
    name: 'V2',
    what: 'PSI with an empty cell, half a count in each (ours)',
    ours: () => psi(sharesOf(BEFORE), sharesOf(AFTER)),
    expected: 0.7752203800735229,
  },
  { name: 'V3', what: 'bias of PSI, 10 cells, 500 and 10,000', ours: bias, expected: 0.0189, absolute: 5e-5 },
  ...shifts,
  ...samples,
  ...tables,
  ...sequential,
  ...runLengths,
  { name: 'V11', what: 'e-SR', ours: lastOf(stepShiryaevRoberts, 0), expected: 59.762304 },
  { name: 'V11', what: 'e-CUSUM', ours: lastOf(stepECusum, 1), expected: 17.5616 },
  {
    name: 'V12',
    what: 'noncentral χ² tail, λ rounded to 9.5238095 as printed',
    ours: () => noncentralChi2(30, 9, 9.5238095).sf,
    expected: 0.07641138709345983,
    relative: TAIL,
  },
  {
    name: 'V12',
    what: 'noncentral χ² tail, λ = nm / (n + m) · PSI₀ unrounded',
    ours: () => noncentralChi2(30, 9, (500 * 10_000 * 0.02) / 10_500).sf,
    expected: 0.07641138757101239,
    relative: TAIL,
  },
  {
    name: 'V12',
    what: 'plain χ² tail',
    ours: () => noncentralChi2(30, 9, 0).sf,
    expected: 0.00043872177097947936,
    relative: TAIL,
  },
  { name: 'V13', what: 'expected accuracy', ours: () => CBPE().accuracy, expected: 0.75 },
  { name: 'V13', what: 'expected F1', ours: () => CBPE().f1, expected: 0.7727272727272727 },
  ...(
    [
      ['precision', 0.5],
      ['episodeRecall', 0.5],
      ['delay', 10],
      ['f1', 0.5],
      ['normalisedDelay', 0.2],
    ] as const
  ).map(([field, expected]) => ({
    name: 'V14',
    what: `river evaluate, ${field}`,
    ours: () => alarmMetrics({ alarms: [110, 900], drifts: [100, 500], length: 1000, within: 50 })[field] ?? Number.NaN,
    expected,
  })),
  {
    name: 'V14',
    what: 'river evaluate, MTR',
    ours: () => alarmMetrics({ alarms: [110, 400, 700], drifts: [100, 900], length: 1000 }).timeRatio ?? Number.NaN,
    expected: 15,
  },
];

/** How far the code is from a vector, as a share of what is allowed: 1 at most when it agrees. */
export const deviationOf = ({ ours, expected, relative = 1e-12, absolute }: Vector): number => {
  const off = Math.abs(ours() - expected);
  return absolute === undefined ? off / Math.abs(expected) / relative : off / absolute;
};
