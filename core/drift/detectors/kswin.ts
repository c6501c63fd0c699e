import { z } from 'zod';
import { seededRandom } from '../../policy/bootstrap.ts';
import { defineDetector } from '../define-detector.ts';

const State = z.strictObject({
  n: z.int().nonnegative(),
  window: z.array(z.number()).readonly(),
  /** Largest distance of the two distribution functions, in steps of one observation. */
  distance: z.int().nonnegative(),
  inAlarm: z.boolean(),
});

/** Some of them without repetition, the same for the same record (Fisher & Yates). */
const sampled = (from: readonly number[], size: number, seed: number): number[] => {
  const random = seededRandom(seed);
  const all = [...from];
  for (let i = 0; i < size; i++) {
    const j = i + Math.floor(random() * (all.length - i));
    [all[i], all[j]] = [all[j] as number, all[i] as number];
  }
  return all.slice(0, size);
};

/** n · D of two samples of n each. */
const distance = (a: readonly number[], b: readonly number[]): number => {
  const [x, y] = [Float64Array.from(a).sort(), Float64Array.from(b).sort()];
  let [i, j, most] = [0, 0, 0];
  while (i < x.length && j < y.length) {
    const at = Math.min(x[i] as number, y[j] as number);
    while (x[i] === at) i += 1;
    while (y[j] === at) j += 1;
    most = Math.max(most, Math.abs(i - j));
  }
  return most;
};

/** P(n · D ≥ k) for two samples of n each of one continuous distribution: exact (Gnedenko & Korolyuk 1951). */
export const ksEqualSamples = (k: number, n: number): number => {
  if (k <= 0) return 1;
  let sum = 0;
  for (let j = 1; j * k <= n; j++) {
    // C(2n, n − j k) / C(2n, n)
    let ratio = 1;
    for (let i = 1; i <= j * k; i++) ratio *= (n - j * k + i) / (n + i);
    sum += j % 2 === 1 ? ratio : -ratio;
  }
  return Math.min(1, 2 * sum);
};

export const definition = defineDetector({
  name: 'kswin',
  watches: 'value',
  says: 'a distribution of the newest values that is another than that of a sample of those before',
  source:
    'Raab et al. 2020; defaults and form of river: D above 0.1 too, and it keeps the newest. Frouros 0.9.0 has alpha 0.0001. The sample is drawn by a generator that is seeded by the record',
  options: {
    alpha: { default: 0.005, min: 1e-300, max: 0.999 },
    window: { default: 100, min: 4, max: 10_000, whole: true },
    newest: { default: 30, min: 2, max: 5000, whole: true },
    seed: { default: 42, min: 0, max: 2 ** 31, whole: true },
  },
  problem: ({ window, newest }) =>
    2 * newest <= window ? null : `expected newest to be at most half of window, got ${newest} of ${window}`,
  state: State,
  start: () => ({ n: 0, window: [], distance: 0, inAlarm: false }),
  step: (before, x, o) => {
    const n = before.n + 1;
    const window = [...before.window.slice(before.window.length < o.window ? 0 : 1), x];
    if (window.length < o.window) return { n, window, distance: 0, inAlarm: false };
    const newest = window.slice(-o.newest);
    const d = distance(
      sampled(window.slice(0, -o.newest), o.newest, (Math.imul(n, 0x9e3779b1) ^ o.seed) >>> 0),
      newest,
    );
    const inAlarm = ksEqualSamples(d, o.newest) <= o.alpha && d / o.newest > 0.1;
    return { n, window: inAlarm ? newest : window, distance: d, inAlarm };
  },
  value: (s) => s.distance,
  inAlarm: (s) => s.inAlarm,
});
