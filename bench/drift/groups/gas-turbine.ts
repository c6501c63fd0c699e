import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import type { GroupOptions } from '../group.ts';
import { POLICY } from '../policy.ts';
import { byCalendar, byMachine, type Course, type Day } from '../retraining.ts';

const YEARS = [2011, 2012, 2013, 2014, 2015];
const INPUTS = 9;
const HOURS = 24;
/** Column and the error that counts as wholly wrong: about three standard deviations of 2011. */
const TARGETS = [
  { name: 'NOx', column: 10, cap: 30, unit: 'mg/m3' },
  { name: 'CO', column: 9, cap: 5, unit: 'mg/m3' },
];
/** That of the demonstration use case but for the tolerance and when outcomes are due; set before the first run. */
const JUDGING: JudgingPolicy = { ...POLICY, lossTolerance: 0.05, maturityDays: 1 };
const WEEK = 7;
/** Days drawn together by the bootstrap: neighbours are alike. */
const BLOCK = 30;

const yearsOf = (folder: string): readonly (readonly (readonly number[])[])[] =>
  YEARS.map((year) =>
    gunzipSync(readFileSync(join(folder, `gt_${year}.csv.gz`)))
      .toString('utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number)),
  );

/** Stretches of 24 rows of one year; the rows have no time, and are in order. */
const daysOf = (year: readonly (readonly number[])[], column: number): Day[] =>
  Array.from({ length: Math.floor(year.length / HOURS) }, (_, d) => {
    const rows = year.slice(d * HOURS, (d + 1) * HOURS);
    return { rows: rows.map((r) => r.slice(0, INPUTS)), truths: rows.map((r) => r[column] as number) };
  });

const meanAbsolute = (days: readonly (readonly number[])[]): number => {
  const errors = days.flat();
  return errors.reduce((sum, e) => sum + Math.abs(e), 0) / errors.length;
};

/** Days that each of the resamples of a moving-block bootstrap draws: the same for all courses, so that they can be paired. */
const resamplesOf = (days: number): readonly (readonly number[])[] => {
  const random = seededRandom(2026);
  return Array.from({ length: 1000 }, () =>
    Array.from({ length: Math.ceil(days / BLOCK) }, () => Math.floor(random() * (days - BLOCK + 1))).flatMap((from) =>
      Array.from({ length: BLOCK }, (_, i) => from + i),
    ),
  );
};

interface WithInterval {
  readonly value: number;
  readonly interval: readonly [number, number];
}

/** A statistic of the mean absolute errors of courses, with its 95 % percentile interval over blocks of days. */
const overDays = (courses: readonly Course[], statistic: (means: readonly number[]) => number): WithInterval => {
  const daily = courses.map(({ errors }) => errors.map((e) => meanAbsolute([e])));
  const values = resamplesOf((daily[0] as number[]).length)
    .map((drawn) =>
      statistic(daily.map((of) => drawn.reduce((sum, day) => sum + (of[day] as number), 0) / drawn.length)),
    )
    .sort((x, y) => x - y);
  return {
    value: statistic(courses.map(({ errors }) => meanAbsolute(errors))),
    interval: [values[25] as number, values[975] as number],
  };
};
const errorOf = (course: Course): WithInterval => overDays([course], ([mean]) => mean as number);

/** Share of the variance of the truths that is explained, over the days served. */
const explained = ({ errors }: Course, days: readonly Day[]): number => {
  const truths = days.flatMap((d) => d.truths);
  const mean = truths.reduce((a, b) => a + b, 0) / truths.length;
  const variance = truths.reduce((sum, t) => sum + (t - mean) ** 2, 0);
  return 1 - errors.flat().reduce((sum, e) => sum + e * e, 0) / variance;
};

/**
 * Five years of a gas turbine that ages: emissions from nine inputs, learnt in 2011 and served since; retrained by the
 * machine, never, yearly, every week, and by the clock as often as the machine. All learn from the newest year of days.
 */
export const measure = async ({ report, data }: GroupOptions): Promise<void> => {
  const folder = join(data, 'gas-turbine-emissions');
  if (!existsSync(folder)) {
    report.note(`skipped: ${folder} is not there`);
    return;
  }
  const years = yearsOf(folder);
  for (const { name, column, cap, unit } of TARGETS) {
    const byYear = years.map((year) => daysOf(year, column));
    const days = byYear.flat();
    const starts = byYear.map((_, i) => byYear.slice(0, i).reduce((sum, y) => sum + y.length, 0));
    const first = starts[1] as number;
    const plan = { days, first, window: first, cap, policy: JUDGING };
    const every = (step: number): number[] =>
      Array.from({ length: Math.floor((days.length - first - 1) / step) }, (_, i) =>
        Math.round(first + (i + 1) * step),
      );
    const machine = byMachine(plan);
    const clock = byCalendar(plan, every((days.length - first) / (machine.retrains + 1)));
    const courses: readonly (readonly [string, Course])[] = [
      ['never', byCalendar(plan, [])],
      ['yearly', byCalendar(plan, starts.slice(2))],
      ['every week', byCalendar(plan, every(WEEK))],
      ['dummy, as often by the clock', clock],
    ];
    report.note(`${name}: learnt on ${first} days, served on ${days.length - first}; mean absolute error`);
    const served = days.slice(first);
    const says = (rule: string, c: Course): string =>
      `${rule}: ${c.retrains} retrains${c.refused > 0 ? `, ${c.refused} refused` : ''}, R² ${explained(c, served).toFixed(2)}`;
    for (const [rule, c] of courses) report.figure({ name: says(rule, c), ...errorOf(c), unit, goal: null });
    report.figure({ name: says('the machine', machine), ...errorOf(machine), unit, goal: errorOf(clock).value });
    const ratio = ([a, b]: readonly number[]): number => (a as number) / (b as number);
    for (const [rule, c] of [courses[1], courses[3]] as readonly (readonly [string, Course])[])
      report.figure({
        name: `error of the machine over that of ${rule}, paired`,
        ...overDays([machine, c], ratio),
        unit: '',
        goal: 1,
      });
  }
};
