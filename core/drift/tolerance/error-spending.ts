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
  for (const [name, value] of Object.entries(budget))
    if (!(value > 0)) throw new RangeError(`alert budget: expected ${name} above 0, got ${value}`);
  if (eValues.length > budget.lines)
    throw new RangeError(`alert budget: ${eValues.length} e-values but ${budget.lines} lines`);
  const base = Math.max(1, (budget.lines * budget.observationsPerMonth) / budget.alertsPerMonth);
  const sorted = [...eValues].sort((a, b) => b - a);
  let alarming = 0;
  for (let k = 1; k <= sorted.length; k++) if ((sorted[k - 1] as number) >= base / k) alarming = k;
  return base / Math.max(1, alarming);
};

/** Probability that the bound of the validation loss is too low on any of the lines that share a budget. */
const TOO_LOW = 0.05;

/**
 * Bound of the validation loss that holds for all lines of a budget at once with probability 0.95: the one-sided 95 % bound
 * that was measured, widened to the level 1 − 0.05 / lines by Student's distribution over its runs. A bound that is too low
 * makes a line alarm for certain in the end, however high its threshold, and of 1,000 lines 50 would have one.
 * @returns the measured bound itself for one line.
 * @throws {RangeError} when there are no lines.
 */
export const boundForAll = ({ mean, upper, runs }: ValidationLoss, lines: number): number => {
  if (!(lines >= 1)) throw new RangeError(`validation loss: expected at least one line, got ${lines}`);
  if (lines === 1) return upper;
  const dof = Math.max(1, runs - 1);
  return Math.min(1, mean + ((upper - mean) * studentUpper(TOO_LOW / lines, dof)) / studentUpper(TOO_LOW, dof));
};
