import { CUSUM_START, cusumValue, stepCusum } from '#core/drift/detectors/cusum.ts';
import { arlTwoSided, limitForArl0 } from '#core/drift/limits/arl.ts';
import { arl0OfLimit, limitFromReference } from '#core/drift/limits/block-bootstrap.ts';
import { betweenAlarms } from '../contest.ts';
import type { GroupOptions } from '../group.ts';
import { autoregressive } from '../streams.ts';

const K = 0.25;
const NOMINAL = 500;
const ROWS = 40;
/** Reference windows, and references that are each judged over so many nominal run lengths. */
const WINDOWS = 120;
const REFERENCES = 60;
const LENGTHS = 10;
const SEED = 2026_0701;

/** Means of windows of rows, one after the other. */
const windowMeans =
  (next: () => number): (() => number) =>
  () => {
    let sum = 0;
    for (let i = 0; i < ROWS; i++) sum += next();
    return sum / ROWS;
  };

const alarmsOf = (
  means: () => number,
  o: { readonly mean: number; readonly sd: number; readonly h: number },
): number => {
  let alarms = 0;
  let state = CUSUM_START;
  for (let i = 0; i < LENGTHS * NOMINAL; i++) {
    state = stepCusum(state, (means() - o.mean) / o.sd, K);
    if (cusumValue(state) <= o.h) continue;
    alarms += 1;
    state = CUSUM_START;
  }
  return alarms;
};

/** G2: run length of charts of window means, realised over nominal, where rows are alike and the reference is short. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  const textbook = limitForArl0(K, NOMINAL);
  const records = REFERENCES * LENGTHS * NOMINAL;
  for (const [rho, atLeast] of [
    [0, 0.8],
    [0.5, 0.5],
    [0.9, 0.5],
  ] as const) {
    report.note(
      `G2, windows of ${ROWS} rows, AR(1) ${rho}, ${WINDOWS} reference windows, nominal ${NOMINAL} windows: ${records} windows`,
    );
    let bootstrapped = 0;
    let plain = 0;
    let limits = 0;
    let expected = 0;
    for (let r = 0; r < REFERENCES; r++) {
      const means = windowMeans(autoregressive(rho, SEED + r));
      const windows = Array.from({ length: WINDOWS }, means);
      const mean = windows.reduce((sum, x) => sum + x, 0) / WINDOWS;
      const sd = Math.sqrt(windows.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (WINDOWS - 1));
      const { h } = limitFromReference({ windows, k: K, seed: r }, NOMINAL);
      limits += h / REFERENCES;
      expected += (LENGTHS * NOMINAL) / arl0OfLimit({ windows, k: K, seed: r }, textbook, NOMINAL).value;
      const stream = () => windowMeans(autoregressive(rho, SEED + 1000 + r));
      bootstrapped += alarmsOf(stream(), { mean, sd, h });
      plain += alarmsOf(stream(), { mean, sd, h: textbook });
    }
    const ratio = (alarms: number) => {
      const { value, interval } = betweenAlarms(records, alarms);
      return { value: value / NOMINAL, interval: [interval[0] / NOMINAL, interval[1] / NOMINAL] as const };
    };
    report.figure({
      name: 'limit from the reference, block bootstrap',
      ...ratio(bootstrapped),
      unit: '× nominal',
      goal: null,
      atLeast,
    });
    report.figure({ name: 'textbook limit for independent windows', ...ratio(plain), unit: '× nominal', goal: null });
    report.figure({
      name: '  as the bootstrap says of it beforehand',
      value: records / expected / NOMINAL,
      unit: '× nominal',
      goal: null,
    });
    report.figure({
      name: `delay for 1 sd of window means, h ${limits.toFixed(1)} (${textbook.toFixed(1)})`,
      value: arlTwoSided({ k: K, h: limits }, 1),
      unit: 'windows',
      goal: null,
      peer: { name: 'textbook', value: arlTwoSided({ k: K, h: textbook }, 1) },
    });
  }
};
