import type { ValidationLoss } from '../contracts/evaluation.ts';
import { byRun } from './bootstrap.ts';
import { upperMeanBounds } from './mean-bound.ts';

/** Bounded loss of one run, summed over its rows. */
export interface RunLoss {
  readonly run: string;
  readonly rows: number;
  readonly sumLoss: number;
  /** Answer minus label as a share of the cap, summed over its rows. */
  readonly sumError?: number | undefined;
}

/** What a line alone is held to. */
const LEVEL = 0.05;
/** What lines that share a budget of alarms are held to: the more of them, the smaller. */
const SMALLER = [0.03, 0.02, 0.01, 0.005, 0.003, 0.002, 0.001, 0.0005];

/** Lowest and highest mean of errors from −1 to 1, each passed with chance `LEVEL`. */
const errorInterval = (errors: readonly number[], random: () => number): [number, number] => {
  const highest = (of: readonly number[]): number => {
    const placed = of.map((e) => Math.min(1, Math.max(0, (1 + e) / 2)));
    return 2 * (upperMeanBounds(placed, { levels: [LEVEL], random })[0] as number) - 1;
  };
  return [-highest(errors.map((e) => -e)), highest(errors)];
};

/**
 * Mean over runs of each run's mean bounded loss, with upper bounds of it: each run counts once, as each unit does that is
 * judged by its outcome. Where all runs have signed errors, also the 90 % interval of their mean, so that each end of it is
 * passed for nothing once in twenty. How the bounds are made: {@link upperMeanBounds}.
 * @param random uniform in [0, 1); give a seeded one.
 * @returns null when there is no run. @throws {Error} when a mean loss is not in [0, 1].
 */
export const validationLossOf = (runs: readonly RunLoss[], random: () => number): ValidationLoss | null => {
  if (runs.length === 0) return null;
  const sorted = byRun(runs);
  const losses = sorted.map((r) => r.sumLoss / r.rows);
  const mean = losses.reduce((sum, x) => sum + x, 0) / losses.length;
  const [upper, ...smaller] = upperMeanBounds(losses, { levels: [LEVEL, ...SMALLER], random });
  const loss: ValidationLoss = {
    mean,
    upper: upper as number,
    runs: runs.length,
    method: 'bootstrap-t',
    bounds: SMALLER.map((level, i) => ({ level, upper: smaller[i] as number })),
  };
  const errors = sorted.flatMap((r) => (r.sumError === undefined ? [] : [r.sumError / r.rows]));
  return errors.length < runs.length ? loss : { ...loss, error: errorInterval(errors, random) };
};
