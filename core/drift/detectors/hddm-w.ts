import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

/** Exponentially weighted mean, and the sum of its squared weights. */
const Sample = z.strictObject({ mean: z.number(), weight: z.number() });
type Sample = z.infer<typeof Sample>;
/** A cut: what came up to it, what came after. `at` is the extreme of mean ± bound that the cut was made at. */
const Cut = z.strictObject({ at: z.number(), older: Sample, newer: Sample.nullable() });
type Cut = z.infer<typeof Cut>;
const State = z.strictObject({
  n: z.int().nonnegative(),
  total: Sample.nullable(),
  low: Cut.nullable(),
  high: Cut.nullable(),
  excess: z.number(),
});

const FRESH: Sample = { mean: 0, weight: 1 };
const added = ({ mean, weight }: Sample, x: number, lambda: number): Sample => ({
  mean: lambda * x + (1 - lambda) * mean,
  weight: lambda * lambda + (1 - lambda) * (1 - lambda) * weight,
});
/** McDiarmid's bound of a weighted mean. */
const bound = (weight: number, alpha: number): number => Math.sqrt((weight * Math.log(1 / alpha)) / 2);

interface Step {
  readonly x: number;
  readonly total: Sample;
  readonly lambda: number;
  readonly alpha: number;
}

/** The cut after one more observation; `sign` 1 keeps where the mean was lowest, −1 where it was highest. */
const cutAfter = (cut: Cut | null, sign: 1 | -1, { x, total, lambda, alpha }: Step): Cut => {
  const at = sign * total.mean + bound(total.weight, alpha);
  return cut === null || at < cut.at
    ? { at, older: total, newer: null }
    : { ...cut, newer: added(cut.newer ?? FRESH, x, lambda) };
};

const excess = (cut: Cut, sign: 1 | -1, alpha: number): number =>
  cut.newer === null
    ? 0
    : Math.max(0, (sign * (cut.newer.mean - cut.older.mean)) / bound(cut.older.weight + cut.newer.weight, alpha));

export const definition = defineDetector({
  name: 'hddm-w',
  watches: 'loss',
  says: 'as hddm-a, of exponentially weighted means: better for gradual changes, weaker for small ones',
  source: 'Frías-Blanco et al. 2015; defaults and form of Frouros 0.9.0 (the weighted mean begins at 0)',
  options: {
    alpha: { default: 0.001, min: 1e-300, max: 0.999 },
    lambda: { default: 0.05, min: 1e-6, max: 1 },
    twoSided: { default: 0, min: 0, max: 1, whole: true },
    warmUp: { default: 30, min: 1, max: 1e6, whole: true },
  },
  state: State,
  start: () => ({ n: 0, total: null, low: null, high: null, excess: 0 }),
  step: (before, x, { alpha, lambda, twoSided, warmUp }) => {
    const fresh = before.excess > 1;
    const total = added((fresh ? null : before.total) ?? FRESH, x, lambda);
    const step: Step = { x, total, lambda, alpha };
    const low = cutAfter(fresh ? null : before.low, 1, step);
    const high = cutAfter(fresh ? null : before.high, -1, step);
    const s = { n: before.n + 1, total, low, high, excess: 0 };
    if (s.n < warmUp) return s;
    const rise = excess(low, 1, alpha);
    return { ...s, excess: twoSided === 1 ? Math.max(rise, excess(high, -1, alpha)) : rise };
  },
  value: (s) => s.excess,
  inAlarm: (s) => s.excess > 1,
});
