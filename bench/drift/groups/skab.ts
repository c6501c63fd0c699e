import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { CUSUM_START, cusumValue, stepCusum } from '#core/drift/detectors/cusum.ts';
import { limitFromReference } from '#core/drift/limits/block-bootstrap.ts';
import { startPeer } from '../../peer.ts';
import { periodicAlarms } from '../dummy.ts';
import type { GroupOptions } from '../group.ts';
import { type NabScore, nabScore } from '../nab-score.ts';

/** Rows that every method is fitted on, as the leaderboard has it. */
const FIT = 400;
/** A detection counts within so many seconds after a change. */
const WINDOW = 60;
/**
 * Reference value, rows between two false alarms of a chart, and rows that a new level is learnt from after an alarm, of
 * which the first say too little: chosen on the files with even numbers among three values each, judged on the others.
 */
const K = 1;
const ARL0 = 20_000;
const LEARN = 20;
const SETTLE = 5;
const SEEDS = [0, 1, 2, 3, 4];

interface Goals {
  readonly score: number;
  readonly falseAlarms: number;
}

interface Answer {
  readonly t2: readonly number[];
  readonly q: readonly number[];
  readonly predictions: Readonly<Record<string, readonly boolean[]>>;
}

const rowsOf = (file: string): { readonly rows: number[][]; readonly changes: number[] } => {
  const [, ...lines] = gunzipSync(readFileSync(file)).toString('utf8').trim().split('\n');
  const cells = lines.map((line) => line.split(';').slice(1).map(Number));
  return {
    rows: cells.map((c) => c.slice(0, 8)),
    changes: cells.flatMap((c, i) => ((c[9] as number) > 0 ? [i] : [])),
  };
};

/** Where a series of states changes, from row FIT on: each switch is a detection. */
const switches = (states: readonly boolean[]): number[] =>
  states.flatMap((state, i) => (state === (states[i - 1] ?? false) ? [] : [FIT + i]));

const momentsOf = (x: readonly number[]): { readonly mean: number; readonly sd: number } => {
  const mean = x.reduce((a, b) => a + b, 0) / x.length;
  return { mean, sd: Math.sqrt(x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (x.length - 1)) };
};

/**
 * Alarms of two-sided CUSUMs, one a series, with bootstrapped limits on the first rows. After an alarm all learn the level
 * anew, as after a changeover: what stays changed is no second alarm, and what comes back is one.
 */
const chartAlarms = (series: readonly (readonly number[])[]): number[] => {
  const charts = series.map((values) => {
    const windows = values.slice(0, FIT);
    const { mean, sd } = momentsOf(windows);
    return {
      values,
      sd,
      h: limitFromReference({ windows, k: K, seed: 1 }, ARL0).h,
      level: { mean, sd },
      state: CUSUM_START,
    };
  });
  const alarms: number[] = [];
  for (let i = FIT; i < (series[0]?.length ?? 0); i++) {
    for (const chart of charts)
      chart.state = stepCusum(chart.state, ((chart.values[i] as number) - chart.level.mean) / (chart.level.sd || 1), K);
    if (!charts.some((c) => cusumValue(c.state) > c.h)) continue;
    alarms.push(i);
    for (const chart of charts) {
      const { mean, sd } = momentsOf(chart.values.slice(i + SETTLE, i + LEARN));
      Object.assign(chart, { level: { mean, sd: Math.max(chart.sd, sd) }, state: CUSUM_START });
    }
    i += LEARN - 1;
  }
  return alarms;
};

const logOf = (values: readonly number[]): number[] => values.map((v) => Math.log(v + 1e-9));

/** Water circulation of SKAB, valve 1: change points of 16 files, each method and a dummy by the same scorer. */
export const measure = async ({ report, data }: GroupOptions): Promise<void> => {
  const folder = join(data, 'skab/valve1');
  if (!existsSync(folder)) return report.note(`skipped: ${folder} is not there`);
  const files = readdirSync(folder)
    .filter((f) => f.endsWith('.csv.gz'))
    .sort()
    .map((f) => rowsOf(join(folder, f)));
  const windowsOf = files.map(({ changes }) => changes.map((first) => ({ first, last: first + WINDOW - 1 })));
  const peer = startPeer('drift', 'drift/peers/skab.py');
  const bySeed: Answer[][] = [];
  try {
    for (const seed of SEEDS) {
      const answers: Answer[] = [];
      for (const { rows } of files) answers.push(await peer.ask<Answer>({ rows, fit: FIT, seed }));
      bySeed.push(answers);
    }
  } finally {
    peer.close();
  }
  const detectionsOf = (answers: readonly Answer[], name: string) =>
    answers.map((a) => switches(a.predictions[name] as readonly boolean[]));
  const charts = files.map(({ rows }, i) => {
    const { t2, q } = (bySeed[0] as Answer[])[i] as Answer;
    return chartAlarms([logOf(t2), logOf(q), ...Array.from({ length: 8 }, (_, s) => rows.map((r) => r[s] as number))]);
  });
  const scored = files.reduce((sum, f) => sum + f.rows.length - FIT, 0);
  // As many alarms as the charts give, evenly spread.
  const period = Math.floor(scored / charts.flat().length);
  const dummy = files.map((f) => periodicAlarms(f.rows.length - FIT, period).map((at) => FIT + at - 1));

  const halves = { 'all files': () => true, 'odd files, held out': (_: unknown, i: number) => i % 2 === 1 };
  for (const [half, belongs] of Object.entries(halves)) {
    const show = (name: string, runs: readonly (readonly number[][])[], goals?: Goals): NabScore => {
      const scores = runs
        .map((detections) =>
          nabScore(
            detections.flatMap((d, i) =>
              belongs(d, i) ? [{ windows: windowsOf[i] as (typeof windowsOf)[number], detections: d }] : [],
            ),
          ),
        )
        .sort((a, b) => a.score - b.score);
      const middle = scores[scores.length >> 1] as NabScore;
      const interval = { interval: [scores[0]?.score ?? 0, scores.at(-1)?.score ?? 0] as const };
      const goal = goals === undefined ? { goal: null } : { goal: null, atLeast: goals.score };
      report.figure({
        name: `${name}: NAB score, standard`,
        value: middle.score,
        unit: '',
        ...goal,
        ...(runs.length === 1 ? {} : interval),
      });
      report.figure({ name: '  false alarms', value: middle.falseAlarms, unit: '', goal: goals?.falseAlarms ?? null });
      report.figure({ name: `  changes found of ${middle.windows}`, value: middle.found, unit: '', goal: null });
      return middle;
    };
    report.note(`${half}; ${scored} rows scored in all`);
    const forest = show(
      'isolation forest, five seeds',
      bySeed.map((a) => detectionsOf(a, 'isolation-forest')),
    );
    const limits = show('T2 and Q at 99.9 %', [detectionsOf(bySeed[0] as Answer[], 't2-q')]);
    show(`an alarm every ${period} rows`, [dummy]);
    show('CUSUMs with bootstrapped limits', [charts], {
      score: Math.max(forest.score, limits.score),
      falseAlarms: Math.min(forest.falseAlarms, limits.falseAlarms),
    });
  }
};
