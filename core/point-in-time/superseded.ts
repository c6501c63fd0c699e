import { compareText } from '../text/compare.ts';

/**
 * When each row was known to be superseded: the known time of the next version of the same index; infinite for the last.
 * Of two versions that were known at one instant the one with the larger source counts, and the other never.
 * @param rows of one run of an asset, in any order; times in milliseconds.
 */
export const supersededAt = (rows: {
  readonly index: ArrayLike<number>;
  readonly known: Float64Array;
  readonly source: readonly string[];
}): Float64Array => {
  const { index, known, source } = rows;
  const until = new Float64Array(known.length).fill(Number.POSITIVE_INFINITY);
  const order = Array.from({ length: known.length }, (_, i) => i).sort(
    (a, b) =>
      (index[a] as number) - (index[b] as number) ||
      (known[a] as number) - (known[b] as number) ||
      compareText(source[a] as string, source[b] as string),
  );
  for (let n = 1; n < order.length; n++) {
    const [before, after] = [order[n - 1] as number, order[n] as number];
    if (index[before] === index[after]) until[before] = known[after] as number;
  }
  return until;
};
