import { ranked } from '../kernel/kernel.ts';

/** From so many values on the kernel is faster; an element is the same whoever finds it. */
const MANY = 256;

/** Copies to select in: the caller's values stay in their order. */
let scratch = new Float64Array(256);

const swap = (a: Float64Array, i: number, j: number): void => {
  const kept = a[i] as number;
  a[i] = a[j] as number;
  a[j] = kept;
};

/** Puts the k-th smallest of the first `count` values to place k, smaller ones before it, larger ones behind (Hoare 1961). */
const select = (a: Float64Array, count: number, k: number): void => {
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((a[middle] as number) < (a[low] as number)) swap(a, middle, low);
    if ((a[high] as number) < (a[low] as number)) swap(a, high, low);
    if ((a[high] as number) < (a[middle] as number)) swap(a, high, middle);
    const pivot = a[middle] as number;
    let i = low;
    let j = high;
    while (i <= j) {
      while ((a[i] as number) < pivot) i++;
      while ((a[j] as number) > pivot) j--;
      if (i > j) break;
      swap(a, i++, j--);
    }
    if (k <= j) high = j;
    else if (k >= i) low = i;
    else return;
  }
};

/**
 * Quantile of some values by linear interpolation between neighbours (type 7 of Hyndman & Fan 1996, as numpy and R).
 * @param values at least one, none NaN.
 * @param q 0 = the smallest, 0.5 = the median, 1 = the largest.
 */
export const quantileOf = (values: Float64Array, q: number): number => {
  const count = values.length;
  const place = (count - 1) * q;
  const below = Math.floor(place);
  if (count >= MANY) {
    const [low, high] = ranked(values, below);
    return below === place ? low : low + (place - below) * (high - low);
  }
  if (scratch.length < count) scratch = new Float64Array(2 * count);
  scratch.set(values);
  select(scratch, count, below);
  const low = scratch[below] as number;
  if (below === place) return low;
  let high = scratch[below + 1] as number;
  for (let i = below + 2; i < count; i++) if ((scratch[i] as number) < high) high = scratch[i] as number;
  return low + (place - below) * (high - low);
};
