import type { ValidationLoss } from '#core/contracts/evaluation.ts';
import { ESr } from '#core/drift/detectors/e-sr.ts';
import { boundWithin, neededEValue } from '#core/drift/tolerance/error-spending.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { validationLossOf } from '#core/policy/validation-loss.ts';
import { medianDelay } from '../contest.ts';
import { periodicAlarms } from '../dummy.ts';
import type { GroupOptions } from '../group.ts';
import { betasOf } from '../streams.ts';

const LINES = 1000;
const CHANGED = 20;
const A_MONTH = 40;
const OUTCOMES = 12 * A_MONTH;
/** Half a year: a bad lot reaches the changed lines at once. */
const CHANGE_AT = 6 * A_MONTH;
const RUNS = 20;
const MEAN = 0.1;
const MEAN_CHANGED = 0.2;
const BUDGET = { alertsPerMonth: 1, lines: LINES, observationsPerMonth: A_MONTH };
const SEEDS = [1, 2, 3] as const;
const HORIZON = OUTCOMES - CHANGE_AT;

/** Bounded losses of a mean. */
type Losses = (random: () => number) => (mean: number) => number;
const LOSSES: Readonly<Record<string, Losses>> = {
  'even from 0 to twice the mean': (random) => (mean) => 2 * mean * random(),
  'skewed, beta(0.5, 4.5) at first': (random) => {
    const beta = betasOf(random);
    return (mean) => beta(5 * mean, 5 * (1 - mean));
  },
};

/** As the evaluation of a package measures it. */
const validationOf = (random: () => number, next: (mean: number) => number): ValidationLoss =>
  validationLossOf(
    Array.from({ length: RUNS }, (_, i) => ({ run: `r${i}`, rows: 1, sumLoss: next(MEAN) })),
    random,
  ) as ValidationLoss;

/** When a line alarms, given the e-values of all. */
type Limit = (eValues: readonly number[]) => number;
const LIMITS: Readonly<Record<string, Limit>> = {
  '1,000 for each line': () => 1000,
  'equal shares': () => neededEValue([], BUDGET),
  'e-d-BH': (eValues) => neededEValue(eValues, BUDGET),
};
type Bound = (loss: ValidationLoss) => number;
const BOUNDS: Readonly<Record<string, Bound>> = {
  'bound of each': (loss) => loss.upper,
  'bound within the budget': (loss) => boundWithin(loss, BUDGET),
};

interface Year {
  readonly falseAlarms: number;
  readonly delays: readonly number[];
}

/** What each line was measured at, and what seeds its year. */
interface Measured {
  readonly seed: number;
  readonly validations: readonly ValidationLoss[];
}

const measuredOf = (seed: number, losses: Losses): Measured => {
  const random = seededRandom(seed + SEEDS.length);
  const next = losses(random);
  return { seed, validations: Array.from({ length: LINES }, () => validationOf(random, next)) };
};

const yearOf = ({ seed, validations }: Measured, losses: Losses, limit: Limit, bound: Bound): Year => {
  const next = losses(seededRandom(seed));
  let detectors = validations.map((loss) => ESr.start({ mean: Math.min(0.99, bound(loss)) }));
  let falseAlarms = 0;
  const delays = new Array<number>(CHANGED).fill(HORIZON);
  for (let t = 0; t < OUTCOMES; t++) {
    detectors = detectors.map((d, line) => d.update(next(line < CHANGED && t >= CHANGE_AT ? MEAN_CHANGED : MEAN)));
    const needed = limit(detectors.map((d) => d.value));
    detectors = detectors.map((d, line) => {
      if (d.value < needed) return d;
      if (line >= CHANGED || t < CHANGE_AT) falseAlarms += 1;
      else delays[line] = Math.min(delays[line] as number, t - CHANGE_AT + 1);
      return d.reset();
    });
  }
  return { falseAlarms, delays };
};

/** What a budget costs and keeps: a year of 1,000 lines, of which 20 become worse at once, for each limit and each bound of the loss. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  report.note(
    `${LINES} lines with ${A_MONTH} outcomes a month, bounds of ${RUNS} validation runs; ${CHANGED} lines go from a mean loss ` +
      `of ${MEAN} to ${MEAN_CHANGED}; at most ${BUDGET.alertsPerMonth} false alarm a month declared; ${SEEDS.length} seeds`,
  );
  for (const [name, losses] of Object.entries(LOSSES)) {
    report.note(`losses ${name}`);
    const measured = SEEDS.map((seed) => measuredOf(seed, losses));
    for (const [bound, boundOf] of Object.entries(BOUNDS))
      for (const [limit, limitOf] of Object.entries(LIMITS)) {
        const years = measured.map((lines) => yearOf(lines, losses, limitOf, boundOf));
        const alarms = years.map((y) => y.falseAlarms / 12);
        const delays = years.flatMap((y) => y.delays);
        const found = delays.filter((d) => d < HORIZON).length;
        const budgeted = limit !== '1,000 for each line' && bound === 'bound within the budget';
        report.figure({
          name: `${bound}, ${limit}: false alarms a month`,
          value: alarms.reduce((a, b) => a + b, 0) / alarms.length,
          interval: [Math.min(...alarms), Math.max(...alarms)],
          unit: '',
          goal: budgeted ? BUDGET.alertsPerMonth : null,
        });
        report.figure({
          name: `  ${found} of ${delays.length} found; delay`,
          ...medianDelay(delays),
          unit: 'outcomes',
          goal: null,
        });
      }
  }
  const dummy = periodicAlarms(OUTCOMES, A_MONTH).filter((at) => at > CHANGE_AT)[0] as number;
  report.figure({ name: 'dummy, each line every month: false alarms a month', value: LINES, unit: '', goal: null });
  report.figure({ name: '  all found; delay', value: dummy - CHANGE_AT, unit: 'outcomes', goal: null });
};
