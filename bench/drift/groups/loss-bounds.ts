import { studentUpper } from '#core/drift/tolerance/normal.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { bettingBound, upperMeanBounds } from '#core/policy/mean-bound.ts';
import type { GroupOptions } from '../group.ts';
import { shareWithin } from '../share-within.ts';
import { betasOf } from '../streams.ts';

const LEVELS = [0.05, 0.005] as const;
/** Too low so many times as often as said is still near enough. */
const NEAR = 1.5;
/** Sealed runs, and samples of so many. */
const SIZES = [
  [10, 1000],
  [20, 1000],
  [50, 1000],
  [200, 400],
] as const;
const RESAMPLES = 1000;

interface Losses {
  readonly mean: number;
  readonly of: (random: () => number) => () => number;
}
const beta =
  (a: number, b: number): Losses['of'] =>
  (random) => {
    const next = betasOf(random);
    return () => next(a, b);
  };
const LOSSES: Readonly<Record<string, Losses>> = {
  'even from 0 to 0.2': { mean: 0.1, of: (random) => () => 0.2 * random() },
  'beta(2, 18), skewness 1.1': { mean: 0.1, of: beta(2, 18) },
  'beta(0.5, 4.5), skewness 1.9': { mean: 0.1, of: beta(0.5, 4.5) },
  'beta(0.2, 3.8), skewness 3.1': { mean: 0.05, of: beta(0.2, 3.8) },
  '0 or 1': { mean: 0.1, of: (random) => () => (random() < 0.1 ? 1 : 0) },
  'beta(2, 18) and 5 % of 1': {
    mean: 0.145,
    of: (random) => {
      const next = betasOf(random);
      return () => (random() < 0.05 ? 1 : next(2, 18));
    },
  },
};

type Bounds = (values: readonly number[], random: () => number) => readonly number[];
const BOUNDS: Readonly<Record<string, Bounds>> = {
  'of the evaluation': (values, random) => upperMeanBounds(values, { levels: LEVELS, random, resamples: RESAMPLES }),
  'of Student': (values) => {
    const n = values.length;
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const sd = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1));
    return LEVELS.map((level) => Math.min(1, mean + (studentUpper(level, n - 1) * sd) / Math.sqrt(n)));
  },
  'by bets alone': (values) => LEVELS.map((level) => bettingBound(values, level)),
};

/** How often an upper bound of the mean loss of sealed runs is too low, and how high it is. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  for (const [runs, samples] of SIZES)
    for (const [name, { mean, of }] of Object.entries(LOSSES)) {
      report.note(`${runs} runs with losses ${name}: the mean is ${mean}`);
      for (const [bound, boundsOf] of Object.entries(BOUNDS)) {
        const random = seededRandom(runs);
        const next = of(random);
        const found = Array.from({ length: samples }, () => boundsOf(Array.from({ length: runs }, next), random));
        for (const [i, level] of LEVELS.entries()) {
          const bounds = found.map((b) => b[i] as number);
          const average = bounds.reduce((a, b) => a + b, 0) / samples;
          report.figure({
            name: `${100 * level} % bound ${bound}: too low; ${average.toFixed(3)} on the average`,
            ...shareWithin(bounds.filter((b) => b < mean).length, samples),
            unit: '',
            goal: bound === 'of the evaluation' ? NEAR * level : null,
          });
        }
      }
    }
};
