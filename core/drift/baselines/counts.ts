/** Rows in each cell of each feature, features in the order of the baseline. Not whole where they are shrunk or decayed. */
export type Counts = readonly (readonly number[])[];

/** Counts as they are kept: shares of 1/4095, two characters a cell, and the rows that they stand for. */
export interface PackedCounts {
  readonly rows: number;
  readonly cells: readonly string[];
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const BASE = DIGITS.length;
const FULL = BASE * BASE - 1;

const sum = (cells: readonly number[]): number => cells.reduce((a, b) => a + b, 0);

/** What stands in few bytes for `counts`; a share is off by 1/8190 at most. @param rows that were counted. */
export const pack = (counts: Counts, rows: number): PackedCounts => ({
  rows,
  cells: counts.map((cells) => {
    const total = sum(cells);
    return cells
      .map((c) => {
        const share = total > 0 ? Math.round((c / total) * FULL) : 0;
        return `${DIGITS[Math.floor(share / BASE)]}${DIGITS[share % BASE]}`;
      })
      .join('');
  }),
});

/** @returns counts of each feature that add up to its packed rows; all 0 where nothing was counted. */
export const unpack = ({ rows, cells }: PackedCounts): Counts =>
  cells.map((text) => {
    const shares = Array.from(
      { length: text.length / 2 },
      (_, i) => DIGITS.indexOf(text[2 * i] as string) * BASE + DIGITS.indexOf(text[2 * i + 1] as string),
    );
    const total = sum(shares);
    return shares.map((s) => (total > 0 ? (s * rows) / total : 0));
  });

/**
 * `a` times `weight` and `b`, cell by cell.
 * @throws {RangeError} when they are not on the same cells.
 */
export const addCounts = (a: Counts, b: Counts, weight = 1): Counts => {
  if (a.length !== b.length || a.some((cells, i) => cells.length !== b[i]?.length))
    throw new RangeError(
      `counts: expected the same cells, got ${a.map((c) => c.length).join(', ')} and ${b.map((c) => c.length).join(', ')}`,
    );
  return a.map((cells, i) => cells.map((c, j) => c * weight + (b[i]?.[j] as number)));
};
