import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

const State = z.strictObject({
  n: z.int().nonnegative(),
  mean: z.number(),
  up: z.number(),
  down: z.number(),
  /** Of `up` so far, and of `down`; null before the first observation. */
  lowest: z.number().nullable(),
  highest: z.number().nullable(),
});

const value = (s: z.infer<typeof State>, fromExtreme: number): number => {
  if (s.n === 0) return 0;
  return fromExtreme === 1 ? Math.max(s.up - (s.lowest as number), (s.highest as number) - s.down) : s.up;
};

export const definition = defineDetector({
  name: 'page-hinkley',
  watches: 'value',
  says: 'a mean that moved from the mean so far; the threshold is in the unit of the data',
  source:
    'Page 1954, Hinkley 1971; defaults of river: both sides, from the extreme so far. fromExtreme 0 is the form of Frouros 0.9.0: up only, from 0; alpha 1 is, upwards, its CUSUM',
  options: {
    delta: { default: 0.005, min: 0, max: 1e100 },
    threshold: { default: 50, min: 1e-100, max: 1e100 },
    alpha: { default: 0.9999, min: 0, max: 1 },
    warmUp: { default: 30, min: 1, max: 1e6, whole: true },
    fromExtreme: { default: 1, min: 0, max: 1, whole: true },
  },
  state: State,
  start: () => ({ n: 0, mean: 0, up: 0, down: 0, lowest: null, highest: null }),
  step: (s, x, { alpha, delta }) => {
    const n = s.n + 1;
    const mean = s.mean + (x - s.mean) / n;
    const up = alpha * s.up + (x - mean - delta);
    const down = alpha * s.down + (x - mean + delta);
    return { n, mean, up, down, lowest: Math.min(s.lowest ?? up, up), highest: Math.max(s.highest ?? -1, down) };
  },
  value: (s, { fromExtreme }) => value(s, fromExtreme),
  inAlarm: (s, { fromExtreme, threshold, warmUp }) => s.n >= warmUp && value(s, fromExtreme) > threshold,
});
