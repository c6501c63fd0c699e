import type { FeatureSketch } from '../../contracts/drift.ts';

/** Units of the sums: 256 to the reference's scale, held within ± 32 of it, so that no value outweighs a window. */
export const UNITS = 256;
export const HELD = 32 * UNITS;

const exact = (sum: number, what: string): number => {
  if (!Number.isSafeInteger(sum))
    throw new RangeError(`${what} is ${sum}, beyond the integers that add exactly: merge fewer windows`);
  return sum;
};

const smallest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.min(a, b);
const largest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b);

/**
 * What two windows say of one feature together. Sums are of whole numbers, so any order and grouping gives the same bits.
 * @throws {RangeError} when they are of other features, on other cells, or too large to add exactly.
 */
export const addSketches = (a: FeatureSketch, b: FeatureSketch): FeatureSketch => {
  if (a.name !== b.name)
    throw new RangeError(`sketches of ${a.name} and of ${b.name} do not add: give the same feature`);
  if (a.counts.length !== b.counts.length)
    throw new RangeError(
      `${a.name}: sketches on ${a.counts.length} and ${b.counts.length} cells do not add: give sketches of one baseline`,
    );
  const sum = (of: 'n' | 'z' | 'zz' | 'lag' | 'lagged' | 'changes'): number =>
    exact(a[of] + b[of], `${of} of ${a.name}`);
  return {
    name: a.name,
    counts: a.counts.map((c, i) => exact(c + (b.counts[i] as number), `a count of ${a.name}`)),
    n: sum('n'),
    z: sum('z'),
    zz: sum('zz'),
    lag: sum('lag'),
    lagged: sum('lagged'),
    min: smallest(a.min, b.min),
    max: largest(a.max, b.max),
    longest: Math.max(a.longest, b.longest),
    changes: sum('changes'),
  };
};

export interface Moments {
  /** Of (value − center) / scale. */
  readonly mean: number;
  readonly variance: number;
  /** Correlation of a value with the one before of the same asset; null where nothing varies or follows. */
  readonly lag1: number | null;
}

/** @returns null where there was no finite value. */
export const momentsOf = ({ n, z, zz, lag, lagged }: FeatureSketch): Moments | null => {
  if (n === 0) return null;
  const mean = z / n;
  const variance = Math.max(0, zz / n - mean * mean);
  const lag1 = lagged === 0 || variance === 0 ? null : (lag / lagged - mean * mean) / variance;
  return { mean: mean / UNITS, variance: variance / (UNITS * UNITS), lag1 };
};
