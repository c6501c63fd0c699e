import type { ValidationLoss } from '../../contracts/evaluation.ts';
import { studentUpper } from './normal.ts';

/** How often all lines together may alarm for nothing. */
export interface AlertBudget {
  readonly alertsPerMonth: number;
  /** Lines that share it. */
  readonly lines: number;
  /** Outcomes or windows that one line sees in a month, whichever its e-value counts. */
  readonly observationsPerMonth: number;
}

const check = (budget: Readonly<Record<string, number>>): void => {
  for (const [name, value] of Object.entries(budget))
    if (!(value > 0)) throw new RangeError(`alert budget: expected ${name} above 0, got ${value}`);
};

/**
 * The e-value from which a line alarms, given the e-values of all lines: e-d-BH, the Benjamini–Hochberg procedure on
 * e-detectors (arXiv 2501.04130), with base lines · observations per month / alerts per month. The k lines with the most
 * evidence alarm when each has at least base / k. While nothing changed, the lines together alarm no more often than the
 * budget says; otherwise the share of false ones among the alarms of a time, over the expected time (the error over
 * patience), is within it. No procedure with a finite run length bounds the worst-case share itself.
 * @param eValues newest ones, never their running maxima, for which it does not hold (arXiv 2501.19360).
 * @throws {RangeError} when a budget is not above 0 or there are more e-values than lines.
 */
export const neededEValue = (eValues: readonly number[], budget: AlertBudget): number => {
  check({ ...budget });
  if (eValues.length > budget.lines)
    throw new RangeError(`alert budget: ${eValues.length} e-values but ${budget.lines} lines`);
  const base = Math.max(1, (budget.lines * budget.observationsPerMonth) / budget.alertsPerMonth);
  const sorted = [...eValues].sort((a, b) => b - a);
  let alarming = 0;
  for (let k = 1; k <= sorted.length; k++) if ((sorted[k - 1] as number) >= base / k) alarming = k;
  return base / Math.max(1, alarming);
};

/** Level of the bound as it was measured. */
const MEASURED = 0.05;
/** Lines whose bound may be too low, for each alert a month: a quarter of the alerts of a year, the life of a champion. */
const TOO_LOW = 3;

/**
 * Bound of the validation loss of one of the lines that share a budget. A bound that is too low makes its line alarm in the
 * end, however high its threshold, and of 1,000 lines with a 95 % bound 50 would have one. So the level is that at which
 * wrong bounds make no more than a quarter of the alarms that the budget allows in a year: the bound is the one that was
 * measured at the next smaller level. Below the smallest of them it is widened by Student's distribution over its runs.
 */
export const boundWithin = (
  { mean, upper, runs, bounds = [] }: ValidationLoss,
  { alertsPerMonth, lines }: Pick<AlertBudget, 'alertsPerMonth' | 'lines'>,
): number => {
  check({ alertsPerMonth, lines });
  const level = (TOO_LOW * alertsPerMonth) / lines;
  if (level >= MEASURED) return upper;
  const measured = bounds.find((b) => b.level <= level);
  if (measured !== undefined) return measured.upper;
  const smallest = bounds.at(-1) ?? { level: MEASURED, upper };
  const dof = Math.max(1, runs - 1);
  return Math.min(1, mean + ((smallest.upper - mean) * studentUpper(level, dof)) / studentUpper(smallest.level, dof));
};
