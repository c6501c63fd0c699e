import type { BaselineFeature } from '../../contracts/baseline.ts';
import { innerCellOf, layoutOf } from './cells.ts';

/** Rows that a cell has to expect for χ² to be near enough (Cochran 1954). */
export const FEWEST_EXPECTED = 5;

/** … and what share of the rows, in order: with twice as many cells, a test sees a shift of half a sigma less often. */
const SHARE_EXPECTED = 0.08;

/** Joins neighbours until each group expects enough; what is left at the end joins the last group. */
const joinNeighbours = (
  expected: readonly number[],
  enough: number,
): { readonly groups: number[]; readonly left: boolean } => {
  const groups: number[] = [];
  let group = 0;
  let sum = 0;
  for (const e of expected) {
    groups.push(group);
    sum += e;
    if (sum < enough) continue;
    group += 1;
    sum = 0;
  }
  if (group === 0) return { groups, left: sum < FEWEST_EXPECTED };
  return { groups: groups.map((g) => Math.min(g, group - 1)), left: false };
};

const poolNames = (expected: readonly number[]): number[] => {
  const rarestFirst = expected
    .map((_, i) => i)
    .sort((a, b) => (expected[a] as number) - (expected[b] as number) || b - a);
  const { groups } = joinNeighbours(
    rarestFirst.map((i) => expected[i] as number),
    FEWEST_EXPECTED,
  );
  const of = new Array<number>(expected.length).fill(0);
  for (const [at, i] of rarestFirst.entries()) of[i] = groups[at] as number;
  return of;
};

/**
 * Groups of cells that tests count together, so that each expects at least {@link FEWEST_EXPECTED} of `rows` rows: cells
 * of the tails tell where values went, yet alone they are too rare for χ², and many cells tell less of a shift than few. Fixed by the reference and never by what is
 * tested. Neighbours go together; a rare atom goes with the cell around it; names go together from the rarest on.
 * Values that are missing or infinite are no drift: their cells are in no group.
 * @param rows of a window. @returns for each cell the number of its group from 0 on, −1 for none.
 */
export const poolCells = ({ cells, counts }: Pick<BaselineFeature, 'cells' | 'counts'>, rows: number): number[] => {
  const layout = layoutOf(cells);
  const none = (i: number): boolean => i === layout.missing || i === layout.infinite;
  const total = counts.reduce((sum, c, i) => sum + (none(i) ? 0 : c), 0);
  const expected = counts.map((c) => (total > 0 ? (c / total) * rows : 0));
  const pooled = new Array<number>(counts.length).fill(-1);
  if (cells.kind === 'category') {
    for (const [i, group] of poolNames(expected.slice(0, layout.missing)).entries()) pooled[i] = group;
    return pooled;
  }
  const { inner, under, over } = { ...layout, under: layout.under as number, over: layout.over as number };
  // By value: under, the inner cells with the rare atoms in them, over.
  const line = [expected[under] as number, ...expected.slice(0, inner), expected[over] as number];
  const own: number[] = [];
  const within = cells.atoms.map((atom, k) => {
    const e = expected[inner + k] as number;
    if (e >= FEWEST_EXPECTED) own.push(k);
    else line[innerCellOf(cells.edges, atom) + 1] = (line[innerCellOf(cells.edges, atom) + 1] as number) + e;
    return innerCellOf(cells.edges, atom) + 1;
  });
  const { groups, left } = joinNeighbours(line, Math.max(FEWEST_EXPECTED, SHARE_EXPECTED * rows));
  const rarest = own.reduce(
    (a, b) => ((expected[inner + b] as number) < (expected[inner + a] as number) ? b : a),
    own[0] ?? 0,
  );
  // What is off the atoms is too rare: it goes with the rarest of them; with one alone it stays, or nothing could change.
  const joins = left && own.length > 1;
  const first = joins ? 0 : (groups.at(-1) as number) + 1;
  for (const [at, k] of own.entries()) pooled[inner + k] = first + at;
  const ofLine = (i: number): number => (joins ? (pooled[inner + rarest] as number) : (groups[i] as number));
  for (let i = 0; i < inner; i++) pooled[i] = ofLine(i + 1);
  for (const [k, i] of within.entries()) if (!own.includes(k)) pooled[inner + k] = ofLine(i);
  pooled[under] = ofLine(0);
  pooled[over] = ofLine(line.length - 1);
  return pooled;
};

/** Counts of the groups that {@link poolCells} made. @throws {RangeError} when the cells are not as many. */
export const pooledCounts = (groups: readonly number[], counts: readonly number[]): number[] => {
  if (groups.length !== counts.length)
    throw new RangeError(`pooled counts: expected ${groups.length} cells as in the baseline, got ${counts.length}`);
  const sums = new Array<number>(Math.max(-1, ...groups) + 1).fill(0);
  for (const [i, g] of groups.entries()) if (g >= 0) sums[g] = (sums[g] as number) + (counts[i] as number);
  return sums;
};
