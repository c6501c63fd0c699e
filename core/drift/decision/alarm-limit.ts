import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { neededEValue } from '../tolerance/error-spending.ts';

/** Alarms for nothing that all model lines of a site together may give: half from outcomes, half from inputs. */
export interface SiteBudget {
  readonly alertsPerMonth: number;
  readonly lines: number;
}

/** @param lines model lines of the site. @returns null when the policy declares no budget. */
export const siteBudget = ({ drift }: JudgingPolicy, lines: number): SiteBudget | null =>
  drift?.alertsPerMonth === undefined ? null : { alertsPerMonth: drift.alertsPerMonth, lines: Math.max(1, lines) };

const MONTH_MS = 30 * 86_400_000;
/** An e-detector goes no further than 1e12, and outcomes weigh half of it: a larger limit would never be reached. */
const LARGEST = 1e10;

/**
 * Limit of an e-detector of one line that keeps the line's equal share of the budget.
 * @param limit what was declared for one line alone: never less.
 * @param monthly observations in 30 days; null when that is not known, and the limit grows with the lines alone.
 */
export const limitOf = (limit: number, budget: SiteBudget | null, monthly: number | null): number => {
  if (budget === null) return limit;
  const { alertsPerMonth, lines } = budget;
  const needed =
    monthly === null
      ? limit * lines
      : neededEValue([], { alertsPerMonth: alertsPerMonth / 2, lines, observationsPerMonth: monthly });
  return Math.max(limit, Math.min(needed, LARGEST));
};

/**
 * Limits for observations as they become known: each by how many there were in the 30 days up to it, so that what is known
 * later changes none before.
 * @param times instants in order.
 */
export const limitsAlong = (limit: number, budget: SiteBudget | null, times: readonly string[]): readonly number[] => {
  const at = times.map((t) => Date.parse(t));
  let first = 0;
  return at.map((now, i) => {
    while ((at[first] as number) <= now - MONTH_MS) first += 1;
    return limitOf(limit, budget, i - first + 1);
  });
};
