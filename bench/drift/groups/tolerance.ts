import { psi } from '#core/drift/effects/psi.ts';
import { toleranceTest } from '#core/drift/tolerance/tolerance-test.ts';
import { WindowEValue } from '#core/drift/tolerance/window-e-value.ts';
import { type Reference, referenceOf, shiftAt } from '../correlated-windows.ts';
import type { GroupOptions } from '../group.ts';
import { contingency } from '../rules/contingency.ts';
import { shareWithin } from '../share-within.ts';

type Report = GroupOptions['report'];
type Rule = (reference: Reference, counts: readonly number[]) => boolean;

const ALPHA = 0.01;
const TOLERANCE = 0.02;
const REFERENCE_WINDOWS = 120;
const RHOS = [0, 0.7, 0.9] as const;
/** Rows of a window, windows judged, and how many of one reference. */
const SIZES = [
  [50, 4000, 10],
  [200, 4000, 10],
  [1000, 4000, 10],
  [10_000, 2000, 4],
  [100_000, 300, 2],
  [1_000_000, 100, 2],
] as const;

const test = (reference: Reference, counts: readonly number[]) =>
  toleranceTest({
    shares: reference.counts.map((c) => c / reference.rows),
    rows: reference.rows,
    counts,
    tolerance: TOLERANCE,
    alpha: ALPHA,
    designEffect: reference.designEffect,
    windows: reference.windows,
  });
const plain = (counts: readonly number[], rows: number): number[] => counts.map((c) => Math.max(c / rows, 1e-4));

const RULES: Readonly<Record<string, Rule>> = {
  'tolerance test': (r, counts) => test(r, counts).exceeds,
  'χ², rows taken as independent': (r, counts) => contingency([r.counts, counts]).p < ALPHA,
  'PSI > 0.1': (r, counts) =>
    psi(
      plain(r.counts, r.rows),
      plain(
        counts,
        counts.reduce((a, b) => a + b, 0),
      ),
    ) > 0.1,
};

/** How many windows each rule calls, by shift. */
const called = (
  o: { rho: number; rows: number; windows: number; each: number; seed: number },
  shifts: readonly number[],
): ReadonlyMap<string, readonly number[]> => {
  const counts = new Map(Object.keys(RULES).map((name) => [name, shifts.map(() => 0)]));
  for (let w = 0; w < o.windows; w += o.each) {
    const reference = referenceOf({ rho: o.rho, rows: o.rows, windows: REFERENCE_WINDOWS, seed: o.seed + w });
    for (let i = 0; i < o.each; i++)
      for (const [s, window] of reference.window(o.rows, shifts).entries())
        for (const [name, rule] of Object.entries(RULES))
          if (rule(reference, window)) {
            const mine = counts.get(name) as number[];
            mine[s] = (mine[s] as number) + 1;
          }
  }
  return counts;
};

/** Larger windows take so long that few are judged: those of all correlations are one figure. */
const FEW = 10_000;

const levels = (report: Report): void => {
  report.note(
    `G1: level of a window over alpha = ${ALPHA}, ${REFERENCE_WINDOWS} reference windows; nothing changed | just what is tolerated`,
  );
  for (const [rows, windows, each] of SIZES)
    for (const rhos of rows > FEW ? [RHOS] : RHOS.map((rho) => [rho])) {
      const shifts = [0, shiftAt(TOLERANCE, rows)];
      const parts = rhos.map((rho) => called({ rho, rows, windows, each, seed: rows + 100 * rho }, shifts));
      for (const name of Object.keys(RULES))
        for (const [s, what] of ['unchanged', 'tolerated'].entries()) {
          const count = parts.reduce((sum, found) => sum + (found.get(name)?.[s] as number), 0);
          const { value, interval } = shareWithin(count, windows * rhos.length);
          report.figure({
            name: `AR ${rhos.join(', ')}, ${rows} rows, ${what}: ${name}`,
            value: value / ALPHA,
            interval: [interval[0] / ALPHA, interval[1] / ALPHA],
            unit: '× α',
            goal: name === 'tolerance test' ? 1.5 : null,
          });
        }
    }
};

const power = (report: Report): void => {
  report.note('Power: share of independent windows that are called');
  for (const [rows, shift, least] of [
    [100, 0.5, 0.7],
    [200, 0.5, 0.98],
    [500, 0.25, 0.4],
    [2000, 0.25, 0.95],
  ] as const)
    for (const [name, [count]] of called({ rho: 0, rows, windows: 1000, each: 20, seed: rows }, [shift]))
      report.figure({
        name: `${shift} σ in ${rows} rows: ${name}`,
        ...shareWithin(count as number, 1000),
        unit: '',
        goal: null,
        ...(name === 'tolerance test' ? { atLeast: least } : {}),
      });
};

/** A feature that sits for ever at what is tolerated, tested every night. */
const nights = (report: Report): void => {
  report.note('Tested each night for a year, at just what is tolerated: share of 200 years with an alarm');
  const [rows, years] = [200, 200];
  const shift = shiftAt(TOLERANCE, rows);
  let [each, run] = [0, 0];
  for (let year = 0; year < years; year++) {
    const reference = referenceOf({ rho: 0.7, rows, windows: REFERENCE_WINDOWS, seed: 77_000 + year });
    let detector = WindowEValue.start(['feature']);
    let [byTest, byValue] = [false, false];
    for (let night = 0; night < 365; night++) {
      const { exceeds, p } = test(reference, reference.window(rows, [shift])[0] as readonly number[]);
      detector = detector.update(new Map([['feature', p]]));
      byTest ||= exceeds;
      byValue ||= detector.value >= 10_000;
    }
    each += Number(byTest);
    run += Number(byValue);
  }
  report.figure({ name: 'e-value of windows ≥ 10,000', ...shareWithin(run, years), unit: '', goal: 365 / 10_000 });
  report.figure({ name: 'the test alone, at 1 % each night', ...shareWithin(each, years), unit: '', goal: null });
};

/** G1: how often the tolerance test calls a window for nothing, beside the rules of others; what it sees; and night after night. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  levels(report);
  power(report);
  nights(report);
};
