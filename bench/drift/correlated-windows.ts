import { psi, sharesOf } from '#core/drift/effects/psi.ts';
import { innerCellOf } from '#core/drift/sketch/cells.ts';
import { poolCells, pooledCounts } from '#core/drift/sketch/pool.ts';
import { type DesignEffect, designEffectOf } from '#core/drift/tolerance/design-effect.ts';
import { gammaPQ } from '#core/drift/tolerance/noncentral-chi2.ts';
import { normalUpper } from '#core/drift/tolerance/normal.ts';
import { autoregressive } from './streams.ts';

/** As the trainer makes them of a standard normal: 20 cells at quantiles, with tails at 0.1 and 99.9 %. */
const EDGES = Float64Array.from([0.001, ...Array.from({ length: 19 }, (_, i) => (i + 1) / 20), 0.999], (q) =>
  normalUpper(1 - q),
);
const CELLS = EDGES.length + 5;
const FEATURE = {
  kind: 'numeric' as const,
  edges: [...EDGES],
  atoms: [],
  range: null,
  center: 0,
  scale: 1,
};
const cdf = (z: number): number => (1 + Math.sign(z) * gammaPQ(0.5, (z * z) / 2)[0]) / 2;
const sharesAt = (shift: number): number[] => {
  const edges = [...[...EDGES].map((e) => cdf(e - shift)), 1];
  return [...edges.map((c, i) => c - (edges[i - 1] ?? 0)), 0, 0, 0, 0];
};

/** Counts of the next rows, the same rows moved by each of the shifts. */
const countRows = (
  next: () => number,
  rows: number,
  shifts: readonly number[],
): { counts: number[][]; mean: number } => {
  const counts = shifts.map(() => new Array<number>(CELLS).fill(0));
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    const z = next();
    sum += z;
    for (const [s, shift] of shifts.entries()) {
      const cell = innerCellOf(EDGES, z + shift);
      (counts[s] as number[])[cell] = (counts[s]?.[cell] as number) + 1;
    }
  }
  return { counts, mean: sum / rows };
};

/** Reference windows of longer ones: a trainer makes none. */
const LONGEST = 500;

/** What a package would know of a Gaussian AR(1) signal, and windows of it to judge. */
export interface Reference {
  /** Of all reference rows, on pooled cells. */
  readonly counts: readonly number[];
  readonly rows: number;
  readonly windows: number;
  readonly designEffect: DesignEffect | null;
  /** Pooled counts of the next window of the signal, moved by each of the shifts. */
  readonly window: (rows: number, shifts: readonly number[]) => readonly (readonly number[])[];
}

/** Fits a reference to windows of a signal as the trainer does. @param rho correlation of neighbours. */
export const referenceOf = (o: { rho: number; rows: number; windows: number; seed: number }): Reference => {
  const next = autoregressive(o.rho, o.seed);
  const length = Math.min(o.rows, LONGEST);
  const made = Array.from({ length: o.windows }, () => countRows(next, length, [0]));
  const total = new Array<number>(CELLS).fill(0);
  for (const { counts } of made)
    for (const [i, c] of (counts[0] as number[]).entries()) total[i] = (total[i] as number) + c;
  const groups = poolCells({ cells: FEATURE, counts: total }, length);
  const counts = pooledCounts(groups, total);
  const rows = length * o.windows;
  const statistics = made.map((w) => {
    const own = pooledCounts(groups, w.counts[0] as number[]);
    const others = counts.map((c, i) => c - (own[i] as number));
    return (psi(sharesOf(others), sharesOf(own)) * length * (rows - length)) / rows;
  });
  const mean = statistics.reduce((a, b) => a + b, 0) / o.windows;
  const variance = statistics.reduce((a, s) => a + (s - mean) ** 2, 0) / (o.windows - 1);
  return {
    counts,
    rows,
    windows: o.windows,
    designEffect: designEffectOf({ mean, variance, rows: length, means: made.map((w) => w.mean) }),
    window: (n, shifts) => countRows(next, n, shifts).counts.map((c) => pooledCounts(groups, c)),
  };
};

/** Shift of a standard normal at which the population index on the cells that windows of so many rows are tested on is `index`. */
export const shiftAt = (index: number, rows: number): number => {
  const groups = poolCells({ cells: FEATURE, counts: sharesAt(0).map((s) => s * 1e6) }, Math.min(rows, LONGEST));
  const of = (shift: number): number => psi(pooledCounts(groups, sharesAt(0)), pooledCounts(groups, sharesAt(shift)));
  let [low, high] = [0, 4];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (of(middle) < index) low = middle;
    else high = middle;
  }
  return low;
};
