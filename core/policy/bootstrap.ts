import type { Estimate } from '../contracts/evaluation.ts';

/** Squared errors of one run, summed. */
export interface RunErrors {
  readonly run: string;
  readonly rows: number;
  readonly sumSquared: number;
}

/** A small seeded generator (mulberry32): the same interval for the same evidence, on every machine. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
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

/**
 * RMSE with a 95 % percentile bootstrap interval over runs: rows of one run are not independent, runs are
 * (Efron & Tibshirani 1993, ch. 13).
 * @param random uniform in [0, 1); give a seeded one.
 * @throws {Error} when there is no run, or an error is no finite number.
 */
export const bootstrapRmse = (runs: readonly RunErrors[], random: () => number, resamples = 1000): Estimate => {
  if (runs.length === 0) throw new Error('an RMSE needs at least one run with labelled rows; got none');
  const odd = runs.find((r) => !Number.isFinite(r.sumSquared) || r.rows < 1);
  if (odd !== undefined)
    throw new Error(
      `run ${odd.run}: expected finite errors over at least one row, got ${odd.sumSquared} over ${odd.rows}`,
    );
  const values: number[] = [];
  for (let b = 0; b < resamples; b++)
    values.push(rmseOf(runs.map(() => runs[Math.floor(random() * runs.length)] as RunErrors)));
  values.sort((a, b) => a - b);
  const at = (q: number): number => values[Math.min(values.length - 1, Math.floor(q * values.length))] as number;
  const rmse = rmseOf(runs);
  return {
    rmse,
    lower: Math.min(rmse, at(0.025)),
    upper: Math.max(rmse, at(0.975)),
    runs: runs.length,
    rows: runs.reduce((sum, r) => sum + r.rows, 0),
  };
};
