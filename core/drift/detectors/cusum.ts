import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

/** Both sides of a chart, in standard deviations: how far the mean went up, and down. */
const State = z.strictObject({ up: z.number().nonnegative(), down: z.number().nonnegative() });
export type CusumState = z.infer<typeof State>;

export const CUSUM_START: CusumState = { up: 0, down: 0 };

/** One step of a two-sided CUSUM. @param z standardised observation. @param k reference value: half the shift to be found. */
export const stepCusum = ({ up, down }: CusumState, z: number, k: number): CusumState => ({
  up: Math.max(0, up + z - k),
  down: Math.max(0, down - z - k),
});

/** The side that went farther. */
export const cusumValue = ({ up, down }: CusumState): number => Math.max(up, down);

export const definition = defineDetector({
  name: 'cusum',
  watches: 'value',
  says: 'a mean that went up or down from a known one, best for a shift of 2 k standard deviations',
  source:
    'Page 1954; run length by the integral equation of limits/arl.ts: the default h has 1e6 for independent N(0, 1)',
  options: {
    mean: { default: 0, min: -1e100, max: 1e100 },
    sd: { default: 1, min: 1e-100, max: 1e100 },
    k: { default: 0.25, min: 0, max: 10 },
    h: { default: 23.6951, min: 1e-3, max: 1e6 },
  },
  state: State,
  start: () => CUSUM_START,
  step: (state, x, { mean, sd, k }) => stepCusum(state, (x - mean) / sd, k),
  value: cusumValue,
  inAlarm: (state, { h }) => cusumValue(state) > h,
});
