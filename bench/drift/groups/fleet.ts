import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import { periodicAlarms } from '../dummy.ts';
import { CHANGES, type FleetResult, simulateFleet } from '../fleet.ts';
import type { GroupOptions } from '../group.ts';
import { POLICY } from '../policy.ts';

const LINES = 1000;
const DAYS = 365;
const REAL = 20;
/** Of the 1,000 lines together. */
const ALERTS_PER_MONTH = 4;
const SEED = 1;
/** Without a budget fewer lines are enough to see what it is for. */
const UNBUDGETED = 200;

const JUDGING: JudgingPolicy = { ...POLICY, lossTolerance: 0.03, leaveAfter: 5 };

const total = (counts: FleetResult['falseAlarms']): number => Object.values(counts).reduce((a, b) => a + b, 0);
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** 95 % interval of the mean of a Poisson number that was seen once (Garwood 1936, by Wilson & Hilferty's cube root). */
const poissonInterval = (seen: number): readonly [number, number] => {
  const bound = (n: number, z: number): number => (n === 0 ? 0 : n * (1 - 1 / (9 * n) + z / (3 * Math.sqrt(n))) ** 3);
  return [bound(seen, -1.96), bound(seen + 1, 1.96)];
};

/**
 * A site of 1,000 model lines for a year: rows, windows, outcomes that come late, validation losses of sealed runs, all
 * judged by what the platform judges with. Nothing changes on 1,000 lines; 20 more change once.
 */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  const budget = (ALERTS_PER_MONTH * DAYS) / 30;
  const declared = { ...JUDGING, drift: { alertsPerMonth: ALERTS_PER_MONTH, arl0: 100_000 } };
  const fleet = simulateFleet({ lines: LINES, days: DAYS, changes: REAL, policy: declared, seed: SEED });
  report.note(`${fleet.outcomes} outcomes, ${fleet.windows} windows; declared are ${ALERTS_PER_MONTH} alarms a month`);
  const alarms = total(fleet.falseAlarms);
  report.figure({
    name: `alarms for nothing, ${LINES} lines, a year`,
    value: alarms,
    unit: 'alarms',
    goal: Math.floor(budget),
    interval: poissonInterval(alarms),
  });
  report.note(`by what called: ${JSON.stringify(fleet.falseAlarms)}`);
  report.figure({ name: 'messages to the owners of them', value: fleet.messages, unit: 'messages', goal: null });
  const found = fleet.found.filter((f) => f.days !== null);
  report.figure({ name: 'real changes found', value: found.length, unit: `of ${REAL}`, goal: null, atLeast: REAL });
  for (const change of CHANGES) {
    const delays = found.filter((f) => f.change === change).map((f) => f.days as number);
    if (delays.length === 0) continue;
    report.figure({
      name: `delay, ${change}`,
      value: median(delays),
      unit: 'days',
      goal: null,
      interval: [Math.min(...delays), Math.max(...delays)],
    });
    const by = fleet.found.filter((f) => f.change === change).map((f) => f.by ?? 'not found');
    report.note(`  found by: ${[...new Set(by)].join(', ')}`);
  }

  // A dummy that spends the same budget by the clock: each line in turn.
  const rings = periodicAlarms(DAYS * LINES, Math.round((30 * LINES) / ALERTS_PER_MONTH)).length;
  report.figure({
    name: 'the same budget spent by the clock finds',
    value: (rings * REAL) / (LINES + REAL),
    unit: `of ${REAL}`,
    goal: null,
  });

  const without = simulateFleet({ lines: UNBUDGETED, days: DAYS, changes: 0, policy: JUDGING, seed: SEED });
  report.figure({
    name: 'without a budget, per 1,000 lines and year',
    value: (total(without.falseAlarms) * LINES) / UNBUDGETED,
    unit: 'alarms',
    goal: null,
  });
  report.figure({
    name: '  and messages',
    value: (without.messages * LINES) / UNBUDGETED,
    unit: 'messages',
    goal: null,
  });
  report.note(`by what called, of ${UNBUDGETED} lines: ${JSON.stringify(without.falseAlarms)}`);
};
