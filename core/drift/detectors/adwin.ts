import { z } from 'zod';
import { defineDetector } from '../define-detector.ts';

/** Sum, and sum of squared deviations, of 2^row observations. */
const Bucket = z.tuple([z.number(), z.number()]).readonly();
type Bucket = z.infer<typeof Bucket>;

const State = z.strictObject({
  n: z.int().nonnegative(),
  /** The window: in row i buckets of 2^i observations, in each row the oldest first; the newest observations in row 0. */
  rows: z.array(z.array(Bucket).readonly()).readonly(),
  width: z.int().nonnegative(),
  total: z.number(),
  /** Sum of squared deviations from the mean of the window. */
  squares: z.number(),
  /** By how much the means of the two parts of the last cut exceeded the threshold, as a ratio; 0 between checks. */
  excess: z.number(),
});
type State = z.infer<typeof State>;

/** Variance that two parts add by the distance of their means (Chan, Golub & LeVeque 1983). */
const between = (n0: number, mean0: number, n1: number, mean1: number): number =>
  ((n0 * n1) / (n0 + n1)) * (mean0 - mean1) ** 2;

/** Merges the two oldest buckets of each row that has too many into one of the next. */
const compressed = (rows: readonly (readonly Bucket[])[], most: number): readonly (readonly Bucket[])[] => {
  const out = [...rows];
  for (let i = 0; i < out.length; i++) {
    const row = out[i] as readonly Bucket[];
    if (row.length <= most) break;
    const [[sum0, squares0], [sum1, squares1]] = row as readonly [Bucket, Bucket];
    const size = 2 ** i;
    const merged: Bucket = [sum0 + sum1, squares0 + squares1 + between(size, sum0 / size, size, sum1 / size)];
    out[i] = row.slice(2);
    out[i + 1] = [...(out[i + 1] ?? []), merged];
  }
  return out;
};

/** The window without its oldest bucket. */
const shortened = (s: State): State => {
  const i = s.rows.length - 1;
  const [[sum, squares], ...rest] = s.rows[i] as readonly [Bucket, ...Bucket[]];
  const size = 2 ** i;
  const width = s.width - size;
  const total = s.total - sum;
  const rows = rest.length > 0 ? [...s.rows.slice(0, i), rest] : s.rows.slice(0, i);
  return {
    ...s,
    rows,
    width,
    total,
    squares: s.squares - squares - between(size, sum / size, width, total / width),
  };
};

/** Least distance of two means of n0 and n1 observations that is a change (Bifet & Gavaldà 2007, with the variance of the window). */
export const adwinThreshold = (
  n0: number,
  n1: number,
  o: { readonly variance: number; readonly width: number; readonly delta: number; readonly least: number },
): number => {
  const delta = Math.log((2 * Math.log(o.width)) / o.delta);
  const m = 1 / (n0 - o.least + 1) + 1 / (n1 - o.least + 1);
  return Math.sqrt(2 * m * Math.max(0, o.variance) * delta) + (2 / 3) * delta * m;
};

type Options = Readonly<Record<'delta' | 'least' | 'everyCut', number>>;

/** Distance of the means over its threshold at the first cut where it is too large; else 0. */
const cutAt = (s: State, { delta, least, everyCut }: Options): number => {
  let n0 = 0;
  let sum0 = 0;
  for (let i = s.rows.length - 1; i >= 0; i--) {
    const row = s.rows[i] as readonly Bucket[];
    // The form of Frouros leaves out the newest bucket of each row, and needs one observation more in each part.
    const cuts = everyCut === 1 && i > 0 ? row.length : row.length - 1;
    for (let j = 0; j < cuts; j++) {
      n0 += 2 ** i;
      sum0 += (row[j] as Bucket)[0];
      const n1 = s.width - n0;
      if (Math.min(n0, n1) < (everyCut === 1 ? least : least + 1)) continue;
      const distance = Math.abs(sum0 / n0 - (s.total - sum0) / n1);
      const threshold = adwinThreshold(n0, n1, { variance: s.squares / s.width, width: s.width, delta, least });
      if (distance > threshold) return distance / threshold;
    }
  }
  return 0;
};

export const definition = defineDetector({
  name: 'adwin',
  watches: 'value',
  says: 'a window whose older and newer part differ in mean; it keeps what is newer than the change',
  source:
    'Bifet & Gavaldà 2007; defaults and form of Frouros 0.9.0. everyCut 1 is the form of river: it tries the newest bucket of each size too',
  options: {
    delta: { default: 0.002, min: 1e-300, max: 0.999 },
    clock: { default: 32, min: 1, max: 1e6, whole: true },
    most: { default: 5, min: 2, max: 100, whole: true },
    least: { default: 5, min: 1, max: 1e6, whole: true },
    warmUp: { default: 10, min: 1, max: 1e6, whole: true },
    everyCut: { default: 0, min: 0, max: 1, whole: true },
  },
  state: State,
  start: () => ({ n: 0, rows: [], width: 0, total: 0, squares: 0, excess: 0 }),
  step: (before, x, { delta, clock, most, least, warmUp, everyCut }) => {
    const [first = [], ...older] = before.rows;
    let s: State = {
      n: before.n + 1,
      rows: compressed([[...first, [x, 0]], ...older], most),
      width: before.width + 1,
      total: before.total + x,
      squares: before.squares + (before.width === 0 ? 0 : between(before.width, before.total / before.width, 1, x)),
      excess: 0,
    };
    if (s.n % clock !== 0 || s.width <= warmUp) return s;
    for (let excess = cutAt(s, { delta, least, everyCut }); excess > 0; ) {
      s = { ...shortened(s), excess: Math.max(s.excess, excess) };
      excess = cutAt(s, { delta, least, everyCut });
    }
    return s;
  },
  value: (s) => s.excess,
  inAlarm: (s) => s.excess > 0,
});
