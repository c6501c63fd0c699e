import { daysAfter } from '../../policy/days-after.ts';

const DAY_MS = 86_400_000;

/** Alarms held against what is known to have changed. */
export interface AgainstChanges {
  /** Of each change the days until the alarm that found it, null where none did. */
  readonly delays: readonly (number | null)[];
  /** Alarms that found nothing; the second alarm of one change is one of them, for being told twice helps nobody. */
  readonly falseAlarms: number;
}

/**
 * A change is found by the first alarm within so many days after it, and before the next change.
 * @param alarms instants, ascending. @param changes instants, in any order.
 */
export const againstChanges = (
  alarms: readonly string[],
  changes: readonly string[],
  withinDays: number,
): AgainstChanges => {
  const inOrder = [...changes].sort();
  const finders = inOrder.map((change, i) => {
    const end = daysAfter(change, withinDays);
    const next = inOrder[i + 1];
    return alarms.find((a) => a >= change && a <= end && (next === undefined || a < next)) ?? null;
  });
  const delays = finders.map((found, i) =>
    found === null ? null : (Date.parse(found) - Date.parse(inOrder[i] as string)) / DAY_MS,
  );
  return { delays, falseAlarms: alarms.length - finders.filter((f) => f !== null).length };
};
