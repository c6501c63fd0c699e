import type { Comparison, Estimate, Ratio } from '../contracts/evaluation.ts';

/** Squared errors of one run, summed. */
export interface RunErrors {
  readonly run: string;
  readonly rows: number;
  readonly sumSquared: number;
}

/** A global that is looked up for each number costs more than the number where modules run in a context of their own. */
const { imul } = Math;

/** A small seeded generator (mulberry32): the same interval for the same evidence, on every machine. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = imul(state ^ (state >>> 15), 1 | state);
    t = (t + imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
};

const rmseOf = (runs: readonly RunErrors[]): number => {
  let rows = 0;
  let sum = 0;
  for (const r of runs) {
    rows += r.rows;
    sum += r.sumSquared;
  }
  return Math.sqrt(sum / rows);
};

/** Two perfect models are as good as each other; a perfect one beats any other beyond measure. */
const quotient = (a: number, b: number): number => (b > 0 ? a / b : a === 0 ? 1 : Number.MAX_VALUE);

/** By name: the interval depends on the runs, not on the order in which parts of them arrived. */
export const byRun = <T extends { readonly run: string }>(runs: readonly T[]): T[] =>
  [...runs].sort((a, b) => (a.run < b.run ? -1 : a.run > b.run ? 1 : 0));

/** The statistic on samples of `items` with replacement, in ascending order. */
const resample = <T>(
  items: readonly T[],
  statistic: (sample: readonly T[]) => number,
  random: () => number,
  resamples: number,
): number[] =>
  Array.from({ length: resamples }, () =>
    statistic(items.map(() => items[Math.floor(random() * items.length)] as T)),
  ).sort((a, b) => a - b);

const quantile = (ascending: readonly number[], q: number): number =>
  ascending[Math.min(ascending.length - 1, Math.floor(q * ascending.length))] as number;

const checkRuns = (runs: readonly RunErrors[]): void => {
  if (runs.length === 0) throw new Error('an RMSE needs at least one run with labelled rows; got none');
  const odd = runs.find((r) => !Number.isFinite(r.sumSquared) || r.rows < 1);
  if (odd !== undefined)
    throw new Error(
      `run ${odd.run}: expected finite errors over at least one row, got ${odd.sumSquared} over ${odd.rows}`,
    );
};

/**
 * RMSE with a 95 % percentile bootstrap interval over runs: rows of one run are not independent, runs are
 * (Efron & Tibshirani 1993, ch. 13). With few runs such an interval is somewhat too narrow.
 * @param random uniform in [0, 1); give a seeded one.
 * @throws {Error} when there is no run, or an error is no finite number.
 */
export const bootstrapRmse = (runs: readonly RunErrors[], random: () => number, resamples = 1000): Estimate => {
  checkRuns(runs);
  const rmse = rmseOf(runs);
  const values = resample(byRun(runs), rmseOf, random, resamples);
  return {
    rmse,
    lower: Math.min(rmse, quantile(values, 0.025)),
    upper: Math.max(rmse, quantile(values, 0.975)),
    runs: runs.length,
    rows: runs.reduce((sum, r) => sum + r.rows, 0),
  };
};

/**
 * How the RMSE of `a` relates to that of `b` on the same runs: their ratio with a 95 % percentile interval of a paired
 * bootstrap. Each resample draws runs, and both models are scored on the runs drawn, so that a hard run is hard for
 * both and does not widen the interval (Efron & Tibshirani 1993, ch. 8; paired resampling of test sets: Koehn 2004).
 * A run that only one of them could score is left out.
 * @param seed of one generator for each interval.
 * @throws {Error} when no run was scored by both, or an error is no finite number.
 */
export const compareRmse = (
  a: readonly RunErrors[],
  b: readonly RunErrors[],
  seed: number,
  resamples = 1000,
): { readonly a: Estimate; readonly b: Estimate; readonly ratio: Ratio } => {
  const others = new Map(b.map((r) => [r.run, r]));
  const pairs = byRun(a).flatMap((mine) => {
    const theirs = others.get(mine.run);
    return theirs === undefined ? [] : [{ mine, theirs }];
  });
  const [mine, theirs] = [pairs.map((p) => p.mine), pairs.map((p) => p.theirs)];
  const ratioOf = (sample: typeof pairs): number =>
    quotient(rmseOf(sample.map((p) => p.mine)), rmseOf(sample.map((p) => p.theirs)));
  const estimates = {
    a: bootstrapRmse(mine, seededRandom(seed), resamples),
    b: bootstrapRmse(theirs, seededRandom(seed), resamples),
  };
  const point = ratioOf(pairs);
  const values = resample(pairs, (sample) => ratioOf([...sample]), seededRandom(seed), resamples);
  return {
    ...estimates,
    ratio: {
      point,
      lower: Math.min(point, quantile(values, 0.025)),
      upper: Math.max(point, quantile(values, 0.975)),
    },
  };
};

/** Challenger and champion on the runs that both were scored on; null when there is none. See `compareRmse`. */
export const compareModels = (
  challenger: readonly RunErrors[],
  champion: readonly RunErrors[],
  seed: number,
): Comparison | null => {
  const known = new Set(champion.map((r) => r.run));
  if (!challenger.some((r) => known.has(r.run))) return null;
  const { a, b, ratio } = compareRmse(challenger, champion, seed);
  return { challenger: a, champion: b, ratio };
};

/** Rows of one run on which two models differ. */
export interface RunDisagreement {
  readonly run: string;
  readonly rows: number;
  readonly disagreeing: number;
}

/** Share of rows that disagree, pooled over runs; 0 without a run. */
export const shareOf = (runs: readonly RunDisagreement[]): number => {
  const rows = runs.reduce((sum, r) => sum + r.rows, 0);
  return rows === 0 ? 0 : runs.reduce((sum, r) => sum + r.disagreeing, 0) / rows;
};

/** Upper end of a one-sided 95 % percentile bootstrap interval over runs of the pooled share; 0 without a run. */
export const bootstrapShare = (runs: readonly RunDisagreement[], random: () => number, resamples = 1000): number => {
  const point = shareOf(runs);
  return runs.length === 0 ? 0 : Math.max(point, quantile(resample(byRun(runs), shareOf, random, resamples), 0.95));
};
