import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

const count = z.int().nonnegative();
const State = z.strictObject({
  n: count,
  errors: count,
  /** When the last error was. */
  last: count,
  /** Distance between errors: mean, and sum of squared deviations. */
  mean: z.number(),
  squares: z.number(),
  /** Largest mean + level · deviation so far; 0 before the first. */
  most: z.number(),
  /** The same now, as a share of it; 1 where nothing is to be said. */
  share: z.number(),
});

export const definition = defineDetector({
  name: 'eddm',
  watches: 'error',
  says: 'errors that follow each other closer than they did',
  source: 'Baena-García et al. 2006; defaults and form of Frouros 0.9.0 (river divides the variance by one less)',
  options: {
    beta: { default: 0.9, min: 0.01, max: 1 },
    level: { default: 2, min: 0, max: 100 },
    warmUp: { default: 30, min: 1, max: 1e6, whole: true },
  },
  state: State,
  start: () => ({ n: 0, errors: 0, last: 0, mean: 0, squares: 0, most: 0, share: 1 }),
  step: (before, x, { level, warmUp }) => {
    const n = before.n + 1;
    if (x === 0) return { ...before, n, share: 1 };
    const errors = before.errors + 1;
    const distance = n - before.last;
    const mean = before.mean + (distance - before.mean) / errors;
    const squares = before.squares + (distance - mean) * (distance - before.mean);
    const s = { n, errors, last: n, mean, squares, most: before.most, share: 1 };
    if (n < warmUp) return s;
    const reach = mean + level * Math.sqrt(squares / errors);
    if (reach > before.most) return { ...s, most: reach };
    return errors >= warmUp ? { ...s, share: reach / before.most } : s;
  },
  value: (s) => 1 - s.share,
  inAlarm: (s, { beta }) => s.share < beta,
});
