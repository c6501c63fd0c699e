import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

/** Mean of the first so many observations. */
const Mean = z.strictObject({ n: z.int().nonnegative(), mean: z.number() });
type Mean = z.infer<typeof Mean>;
const State = z.strictObject({
  n: z.int().nonnegative(),
  all: Mean,
  /** The first observations, up to where their mean was lowest, and where it was highest. */
  low: Mean,
  high: Mean,
  /** Distance over what chance explains, as a ratio. */
  excess: z.number(),
});

const bound = (n: number, alpha: number): number => Math.sqrt(Math.log(1 / alpha) / (2 * n));

/** By how much the mean of all differs from that of the part, over Hoeffding's bound; 0 where they are the same part. */
const excess = (part: Mean, all: Mean, o: { readonly sign: 1 | -1; readonly log: number }): number => {
  if (part.n === all.n) return 0;
  const threshold = Math.sqrt(((all.n - part.n) / (2 * part.n * all.n)) * o.log);
  return Math.max(0, (o.sign * (all.mean - part.mean)) / threshold);
};

const EMPTY: Mean = { n: 0, mean: 0 };

export const definition = defineDetector({
  name: 'hddm-a',
  watches: 'loss',
  says: 'a mean that rose (or, two-sided, fell) by more than Hoeffding’s bound since its best cut',
  source:
    'Frías-Blanco et al. 2015; defaults and form of Frouros 0.9.0. conservative 1 is the form of river: ln(2 / alpha), no warm-up',
  options: {
    alpha: { default: 0.001, min: 1e-300, max: 0.999 },
    twoSided: { default: 0, min: 0, max: 1, whole: true },
    warmUp: { default: 30, min: 1, max: 1e6, whole: true },
    conservative: { default: 0, min: 0, max: 1, whole: true },
  },
  state: State,
  start: () => ({ n: 0, all: EMPTY, low: EMPTY, high: EMPTY, excess: 0 }),
  step: (before, x, { alpha, twoSided, warmUp, conservative }) => {
    // It starts again by itself after an alarm.
    const fresh = before.excess >= 1;
    const kept = fresh ? EMPTY : before.all;
    const n = before.n + 1;
    const all = { n: kept.n + 1, mean: kept.mean + (x - kept.mean) / (kept.n + 1) };
    const now = bound(all.n, alpha);
    const [low, high] = fresh || before.low.n === 0 ? [all, all] : [before.low, before.high];
    const lowest = all.mean + now <= low.mean + bound(low.n, alpha) ? all : low;
    const highest = high.mean - bound(high.n, alpha) <= all.mean - now ? all : high;
    const s = { n, all, low: lowest, high: highest, excess: 0 };
    if (conservative === 0 && n < warmUp) return s;
    const log = Math.log((conservative === 1 ? 2 : 1) / alpha);
    const rise = excess(lowest, all, { sign: 1, log });
    return { ...s, excess: twoSided === 1 ? Math.max(rise, excess(highest, all, { sign: -1, log })) : rise };
  },
  value: (s) => s.excess,
  inAlarm: (s) => s.excess >= 1,
});
