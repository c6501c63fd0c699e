import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

const sum = z.number();

/** Sums over observations (t, x), both counted from the first; `…Before` is the observation before the last. */
const State = z.strictObject({
  n: z.int().nonnegative(),
  origin: z.tuple([z.number(), z.number()]),
  last: z.tuple([z.number(), z.number()]),
  t: sum,
  x: sum,
  tt: sum,
  tx: sum,
  xx: sum,
  /** Products of neighbours: of x with the x before, of t with the x before, of x with the t before, of both t. */
  neighbours: z.tuple([sum, sum, sum, sum]),
});
export type AgeingState = z.infer<typeof State>;

export const AGEING_START: AgeingState = {
  n: 0,
  origin: [0, 0],
  last: [0, 0],
  t: 0,
  x: 0,
  tt: 0,
  tx: 0,
  xx: 0,
  neighbours: [0, 0, 0, 0],
};

/** Adds one observation. @param t when, in any unit, later than the one before. @param x a statistic of a window. */
export const stepAgeing = (s: AgeingState, t: number, x: number): AgeingState => {
  const origin: [number, number] = s.n === 0 ? [t, x] : s.origin;
  const [dt, dx] = [t - origin[0], x - origin[1]];
  const [bt, bx] = s.last;
  const [xx1, tx1, xt1, tt1] = s.neighbours;
  return {
    n: s.n + 1,
    origin,
    last: [dt, dx],
    t: s.t + dt,
    x: s.x + dx,
    tt: s.tt + dt * dt,
    tx: s.tx + dt * dx,
    xx: s.xx + dx * dx,
    neighbours: [xx1 + dx * bx, tx1 + dt * bx, xt1 + dx * bt, tt1 + dt * bt],
  };
};

/** A straight line through what was observed. */
export interface Slope {
  /** Of x in one unit of t. */
  readonly perUnit: number;
  /** Standard error of it, wider where neighbours are alike; ∞ where they are so much alike that nothing is known. */
  readonly error: number;
  /** Degrees of freedom of the error: of Student's distribution that slope over error follows; whole, 0 where nothing is known. */
  readonly freedom: number;
  /** Level of the line at the newest observation. */
  readonly level: number;
}

/** Residuals more alike than this would make every slope possible. */
const MOST_ALIKE = 0.99;
/** Fewer observations say nothing of how alike neighbours are. */
const FEWEST = 5;
/** Residuals that are a smaller part of all squares are rounding. */
const ROUNDING = 1e-12;

/**
 * Least squares of x on t. Neighbours that are alike make n residuals worth n (1 − ρ) / (1 + ρ) for their lag-1 correlation ρ
 * where it is positive: both the standard error and its degrees of freedom go by that number, less two (Santer et al. 2000,
 * "Statistical significance of trends and trend differences in layer-average atmospheric temperature time series", §4). Of
 * few residuals about a line ρ comes out too small by (2 + 4 ρ) / n on the average (Marriott & Pope 1954), which is mended.
 * @returns null with fewer than five observations, or all at one time.
 */
export const slopeOf = (s: AgeingState): Slope | null => {
  const { n } = s;
  const stt = s.tt - (s.t * s.t) / n;
  if (n < FEWEST || !(stt > 0)) return null;
  const b = (s.tx - (s.t * s.x) / n) / stt;
  const a = (s.x - b * s.t) / n;
  const lt = s.last[0];
  const squares = s.xx - (s.x * s.x) / n;
  const residual = squares - b * b * stt;
  const level = s.origin[1] + a + b * lt;
  if (!(residual > ROUNDING * squares)) return { perUnit: b, error: 0, freedom: n - 2, level };
  // Σ r_i r_{i−1} over neighbours, r = x − a − b t, from sums; all but the first, and all but the last.
  const [xx1, tx1, xt1, tt1] = s.neighbours;
  const lx = s.last[1];
  const [laterT, laterX] = [s.t, s.x];
  const [earlierT, earlierX] = [s.t - lt, s.x - lx];
  const products =
    xx1 - a * (laterX + earlierX) - b * (xt1 + tx1) + (n - 1) * a * a + a * b * (laterT + earlierT) + b * b * tt1;
  const seen = products / residual;
  const alike = Math.min(MOST_ALIKE, Math.max(0, (seen + 2 / n) / (1 - 4 / n)));
  const worth = (n * (1 - alike)) / (1 + alike) - 2;
  if (worth < 1) return { perUnit: b, error: Number.POSITIVE_INFINITY, freedom: 0, level };
  return { perUnit: b, error: Math.sqrt(residual / worth / stt), freedom: Math.floor(worth), level };
};

/**
 * Units of t until the line leaves ± limit: 0 when it is outside already, null when it does not go there.
 * @param limit > 0, in units of x.
 */
export const timeToLimit = (slope: Pick<Slope, 'perUnit' | 'level'>, limit: number): number | null => {
  if (Math.abs(slope.level) >= limit) return 0;
  return slope.perUnit === 0 ? null : (Math.sign(slope.perUnit) * limit - slope.level) / slope.perUnit;
};

/** Slope in standard errors; a line without any deviation is as sure as a number can say. */
const sureness = (s: AgeingState): number => {
  const slope = slopeOf(s);
  if (slope === null || slope.perUnit === 0) return 0;
  return Math.min(Number.MAX_VALUE, Math.abs(slope.perUnit) / slope.error);
};

export const definition = defineDetector({
  name: 'ageing-slope',
  watches: 'value',
  says: 'a straight line up or down that lasts, over all observations since the start; they are one unit of time apart',
  source: 'least squares with the effective sample size of Santer et al. 2000',
  options: {
    errors: { default: 5, min: 1, max: 100 },
    warmUp: { default: 50, min: 3, max: 1e6, whole: true },
  },
  state: State,
  start: () => AGEING_START,
  step: (state, x) => stepAgeing(state, state.n, x),
  value: sureness,
  inAlarm: (state, { errors, warmUp }) => state.n >= warmUp && sureness(state) >= errors,
});
