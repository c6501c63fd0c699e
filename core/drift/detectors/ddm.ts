import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

/** Rate and deviation at the best moment so far. */
const Best = z.tuple([z.number(), z.number()]).readonly();
const State = z.strictObject({ n: z.int().nonnegative(), rate: z.number(), best: Best.nullable() });
type State = z.infer<typeof State>;

const deviation = (s: State): number => Math.sqrt((s.rate * (1 - s.rate)) / s.n);

/** How many deviations of the best moment the rate now lies above it. */
const level = (s: State): number => {
  if (s.best === null) return 0;
  const [rate, sd] = s.best;
  const above = s.rate + deviation(s) - rate;
  return above <= 0 ? 0 : Math.min(Number.MAX_VALUE, above / sd);
};

export const definition = defineDetector({
  name: 'ddm',
  watches: 'error',
  says: 'an error rate that rose above its lowest so far by some standard deviations',
  source: 'Gama et al. 2004; defaults and form of Frouros 0.9.0 (river begins one record later)',
  options: {
    drift: { default: 3, min: 0.1, max: 100 },
    warmUp: { default: 30, min: 2, max: 1e6, whole: true },
  },
  state: State,
  start: () => ({ n: 0, rate: 0, best: null }),
  step: ({ n, rate, best }, x, { warmUp }): State => {
    const s: State = { n: n + 1, rate: rate + (x - rate) / (n + 1), best };
    if (s.n < warmUp) return s;
    const sd = deviation(s);
    return best === null || s.rate + sd < best[0] + best[1] ? { ...s, best: [s.rate, sd] } : s;
  },
  value: level,
  inAlarm: (s, { drift }) => level(s) > drift,
});
