import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JointBaseline } from '#core/contracts/baseline.ts';
import { CUSUM_START, stepCusum } from '#core/drift/detectors/cusum.ts';
import { judgeFeatures } from '#core/drift/device/judge-features.ts';
import { psi, sharesOf } from '#core/drift/effects/psi.ts';
import { limitFromReference } from '#core/drift/limits/block-bootstrap.ts';
import { JointDistance } from '#core/drift/sketch/joint.ts';
import { startPeer } from '../../peer.ts';
import { medianOf } from '../../statistics.ts';
import { baselineOfRows, windowOfRows } from '../baseline-of-rows.ts';
import { periodicAlarms } from '../dummy.ts';
import type { GroupOptions } from '../group.ts';
import { componentsOf } from '../principal-components.ts';
import { shareWithin } from '../share-within.ts';
import { ONSET, tepRun, VARIABLES } from '../tep.ts';

/** As drift.md §3.4 has it: components on d00, limits on d00_te, judged on the faults. */
const KEPT = 0.9;
const K = 1;
const ARL0 = 2000;
const WINDOW = 40;
const IN_A_ROW = 6;
const FAULTS = Array.from({ length: 10 }, (_, i) => i + 1);

type Rows = readonly (readonly number[])[];
/** Samples at which something alarms, each after it was set back. */
type Detector = (rows: Rows) => readonly number[];

const distancesOf =
  (joint: JointBaseline) =>
  (rows: Rows): readonly (readonly [t: number, q: number])[] => {
    const distance = new JointDistance(joint);
    return rows.map((row) => {
      distance.measure(row);
      return [distance.t, distance.q] as const;
    });
  };

const charts = (joint: JointBaseline, calibration: Rows): Detector => {
  const distances = distancesOf(joint);
  const logs = (rows: Rows) => distances(rows).map((d) => d.map((x) => Math.log(x)));
  const sides = [0, 1].map((side) => {
    const windows = logs(calibration).map((d) => d[side] as number);
    const mean = windows.reduce((a, b) => a + b, 0) / windows.length;
    const sd = Math.sqrt(windows.reduce((s, x) => s + (x - mean) ** 2, 0) / (windows.length - 1));
    return { mean, sd, ...limitFromReference({ windows, k: K, seed: 7 + side }, ARL0) };
  });
  return (rows) => {
    const alarms: number[] = [];
    let states = sides.map(() => CUSUM_START);
    for (const [i, d] of logs(rows).entries()) {
      states = states.map((s, j) => {
        const { mean, sd } = sides[j] as (typeof sides)[number];
        return stepCusum(s, ((d[j] as number) - mean) / sd, K);
      });
      // Upwards: a fault takes rows away from the components, never nearer to them.
      if (!states.some((s, j) => s.up > (sides[j]?.h ?? 0))) continue;
      alarms.push(i);
      states = sides.map(() => CUSUM_START);
    }
    return alarms;
  };
};

/** The rule of textbooks: T² or Q above its 99th percentile so many times in a row. */
const inARow = (joint: JointBaseline, calibration: Rows): Detector => {
  const distances = distancesOf(joint);
  const limits = [0, 1].map((side) => {
    const sorted = distances(calibration)
      .map((d) => d[side] as number)
      .sort((a, b) => a - b);
    return sorted[Math.floor(0.99 * sorted.length)] as number;
  });
  return (rows) => {
    const alarms: number[] = [];
    let run = 0;
    for (const [i, d] of distances(rows).entries()) {
      run = d.some((x, side) => x > (limits[side] as number)) ? run + 1 : 0;
      if (run < IN_A_ROW) continue;
      alarms.push(i);
      run = 0;
    }
    return alarms;
  };
};

const judged = (
  { report }: GroupOptions,
  name: string,
  detector: Detector,
  runs: readonly Rows[],
  isOurs: boolean,
): void => {
  let early = 0;
  const delays: number[] = [];
  for (const rows of runs) {
    early += detector(rows.slice(0, ONSET)).length;
    // A detector that is set on at the onset, so that an early alarm is no discovery.
    const [first] = detector(rows.slice(ONSET));
    if (first !== undefined) delays.push(first + 1);
  }
  const goal = (n: number): number | null => (isOurs ? n : null);
  const normal = runs.length * ONSET;
  report.figure({ name: `${name}: alarms in ${normal} fault-free samples`, value: early, unit: '', goal: goal(1) });
  report.figure({
    name: `${name}: faults of 10 found`,
    value: delays.length,
    unit: '',
    goal: null,
    ...(isOurs ? { atLeast: 8 } : {}),
  });
  if (delays.length === 0) return;
  report.figure({
    name: `${name}: median delay`,
    value: medianOf(delays),
    unit: 'samples',
    goal: goal(20),
    interval: [Math.min(...delays), Math.max(...delays)],
  });
};

/** Windows of 40 rows by our tolerance test and by the usual rule on the same cells: how many fault-free ones each calls. */
const windows = ({ report }: GroupOptions, reference: Rows, runs: readonly Rows[]): void => {
  const names = Array.from({ length: VARIABLES }, (_, i) => `x${i + 1}`);
  const baseline = baselineOfRows(names, { rows: reference, window: WINDOW, joint: KEPT });
  const fixed = baseline.features.map((f) => f.counts);
  const policy = { psiWatch: 0.02, psiSerious: 0.1, alpha: 0.01 };
  const seen = (rows: Rows) => windowOfRows(baseline, { rows, sequence: 1, at: 0, every: 180_000 }).features;
  const ours = (rows: Rows): boolean => {
    const worst = judgeFeatures(baseline, fixed, new Map(seen(rows).map((s) => [s.name, s])), policy)[0];
    return (worst?.lower ?? 0) > policy.psiWatch;
  };
  const anyPsi = (rows: Rows): boolean =>
    seen(rows).some((s, i) => psi(sharesOf(fixed[i] as readonly number[]), sharesOf(s.counts)) > 0.25);
  for (const [name, rule] of [
    ['tolerance test', ours],
    ['PSI > 0.25 in any column', anyPsi],
  ] as const) {
    let called = 0;
    let all = 0;
    let found = 0;
    for (const rows of runs) {
      for (let from = 0; from + WINDOW <= ONSET; from += WINDOW, all++)
        called += Number(rule(rows.slice(from, from + WINDOW)));
      const after = Array.from({ length: 20 }, (_, i) => rows.slice(ONSET + i * WINDOW, ONSET + (i + 1) * WINDOW));
      found += Number(after.filter((w) => w.length === WINDOW).some(rule));
    }
    report.figure({
      name: `${name}: fault-free windows of 40 called`,
      unit: '',
      goal: name === 'tolerance test' ? 0.015 : null,
      ...shareWithin(called, all),
    });
    report.figure({ name: `${name}: faults of 10 with a window called`, value: found, unit: '', goal: null });
  }
};

/** Windows after the onset that the rules of libraries judge: they take their time. */
const AFTER = 2;
const LIBRARIES = [
  {
    environment: 'drift',
    script: 'drift/peers/column_rules.py',
    rules: ['evidently', 'ks-bonferroni', 'psi-0.25'],
  },
  { environment: 'nannyml', script: 'drift/peers/nannyml_rules.py', rules: ['nannyml'] },
] as const;

/** What the default rules of libraries say of the same windows, with the same reference rows. */
const libraries = async ({ report }: GroupOptions, reference: Rows, runs: readonly Rows[]): Promise<void> => {
  const cut = (rows: Rows, from: number, count: number): Rows[] =>
    Array.from({ length: count }, (_, i) => rows.slice(from + i * WINDOW, from + (i + 1) * WINDOW));
  const before = runs.flatMap((rows) => cut(rows, 0, ONSET / WINDOW));
  const after = runs.flatMap((rows) => cut(rows, ONSET, AFTER));
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  try {
    const write = (name: string, rows: Rows): string => {
      const file = join(folder, name);
      writeFileSync(file, new Float64Array(rows.flat()));
      return file;
    };
    const referenceFile = write('reference.f64', reference);
    const windowsFile = write('windows.f64', [...before, ...after].flat());
    for (const { environment, script, rules } of LIBRARIES) {
      const peer = startPeer(environment, script, [referenceFile, String(VARIABLES)]);
      try {
        const request = { windows: windowsFile, rows: WINDOW, rules };
        const answers = await peer.ask<Record<string, { flags: boolean[] }>>(request);
        for (const [rule, { flags }] of Object.entries(answers)) {
          const called = shareWithin(flags.slice(0, before.length).filter(Boolean).length, before.length);
          report.figure({ name: `${rule}: fault-free windows of 40 called`, unit: '', goal: null, ...called });
          const found = runs.filter((_, f) =>
            flags.slice(before.length + f * AFTER, before.length + (f + 1) * AFTER).some(Boolean),
          );
          report.figure({
            name: `${rule}: faults of 10 with a window called`,
            value: found.length,
            unit: '',
            goal: null,
          });
        }
      } finally {
        peer.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Tennessee Eastman, faults 1 to 10: false alarms beside delay, each beside a dummy that alarms by the clock. */
export const measure = async (o: GroupOptions): Promise<void> => {
  if (!existsSync(join(o.data, 'tep', 'd00.dat.gz'))) {
    o.report.note(`skipped: no Tennessee Eastman runs in ${join(o.data, 'tep')}`);
    return;
  }
  const reference = tepRun(o.data, 'd00');
  const calibration = tepRun(o.data, 'd00_te');
  const runs = FAULTS.map((f) => tepRun(o.data, `d${String(f).padStart(2, '0')}_te`));
  const joint = componentsOf(reference, KEPT);
  o.report.note('components on d00, limits on d00_te; faults 3 and 9 are hard for every method');
  o.report.note(
    'charts look upwards: T² of these runs lies below that of d00_te, and two-sided ones alarm 10 times before the onset',
  );
  judged(o, `CUSUM k=${K} of log T² and log Q`, charts(joint, calibration), runs, true);
  judged(o, `T² or Q above 99 %, ${IN_A_ROW} in a row`, inARow(joint, calibration), runs, false);
  judged(o, 'dummy, every 40 samples', (rows) => periodicAlarms(rows.length, 40).map((i) => i - 1), runs, false);
  windows(o, [...reference, ...calibration], runs);
  await libraries(o, [...reference, ...calibration], runs);
};
