import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

const State = z.strictObject({ n: z.int().nonnegative(), rate: z.number(), recent: z.number() });
type State = z.infer<typeof State>;

/** Control limits for a run length of 100, 400 and 1000 by error rate: coefficients of p⁰, p, p³, p⁵, p⁷ (Ross et al. 2012, table 1). */
const LIMITS: Readonly<Record<number, readonly number[]>> = {
  100: [2.76, -6.23, 18.12, -312.45, 1002.18],
  400: [3.97, -6.56, 48.73, -330.13, 848.18],
  1000: [1.17, 7.56, -21.24, 112.12, -987.23],
};
const POWERS = [0, 1, 3, 5, 7];

/** Distance of the recent rate from the whole, and the limit of it. */
const chart = ({ n, rate, recent }: State, lambda: number, arl: number): readonly [distance: number, limit: number] => {
  const sd = Math.sqrt((lambda / (2 - lambda)) * (1 - (1 - lambda) ** (2 * n)) * rate * (1 - rate));
  const coefficients = LIMITS[arl] as readonly number[];
  const l = coefficients.reduce((sum, c, i) => sum + c * rate ** (POWERS[i] as number), 0);
  return [recent - rate, l * sd];
};

export const definition = defineDetector({
  name: 'ecdd',
  watches: 'error',
  says: 'a recent error rate above that of all records, by control limits for a run length of 100, 400 or 1000',
  source: 'Ross et al. 2012; defaults and form of Frouros 0.9.0. The limits are fitted for error rates below 0.3',
  options: {
    lambda: { default: 0.2, min: 0.001, max: 1 },
    arl0: { default: 400, min: 100, max: 1000, whole: true },
    warmUp: { default: 30, min: 1, max: 1e6, whole: true },
  },
  problem: ({ arl0 }) => (arl0 in LIMITS ? null : `expected arl0 to be 100, 400 or 1000, got ${arl0}`),
  state: State,
  start: () => ({ n: 0, rate: 0, recent: 0 }),
  step: ({ n, rate, recent }, x, { lambda }) => ({
    n: n + 1,
    rate: rate + (x - rate) / (n + 1),
    recent: lambda * x + (1 - lambda) * recent,
  }),
  value: (s, { lambda, arl0 }) => (s.n === 0 ? 0 : chart(s, lambda, arl0)[0]),
  inAlarm: (s, { lambda, arl0, warmUp }) => {
    if (s.n < warmUp) return false;
    const [distance, limit] = chart(s, lambda, arl0);
    return distance > limit;
  },
});
