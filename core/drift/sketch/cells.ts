import type { BaselineFeature, BaselineSpec } from '../../contracts/baseline.ts';

type Cells = BaselineFeature['cells'];

/** Where which cells of a feature are: `inner` from 0 on, then `atoms`; single cells by their number, null where there is none. */
export interface CellLayout {
  readonly inner: number;
  readonly atoms: number;
  readonly under: number | null;
  readonly over: number | null;
  /** Of a category: rare names, and names that the reference did not have. */
  readonly other: number | null;
  readonly unseen: number | null;
  readonly missing: number;
  readonly infinite: number | null;
  /** How many cells. */
  readonly count: number;
}

export const layoutOf = (cells: Cells): CellLayout => {
  if (cells.kind === 'category') {
    const inner = cells.names.length;
    const none = { under: null, over: null, infinite: null };
    return { inner, atoms: 0, other: inner, unseen: inner + 1, missing: inner + 2, count: inner + 3, ...none };
  }
  const inner = cells.edges.length + 1;
  const atoms = cells.atoms.length;
  const under = inner + atoms;
  const none = { other: null, unseen: null };
  return { inner, atoms, under, over: under + 1, missing: under + 2, infinite: under + 3, count: under + 4, ...none };
};

/** Number of edges that are not above a value. */
export const innerCellOf = (edges: ArrayLike<number>, value: number): number => {
  let low = 0;
  let high = edges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((edges[middle] as number) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
};

/**
 * Cell of a value. A name is no number and a number no name: what is not of the kind of the feature is missing.
 * @param value null, undefined and NaN are missing.
 */
export const cellOf = (cells: Cells, value: number | string | null | undefined): number => {
  const layout = layoutOf(cells);
  if (cells.kind === 'category') {
    if (typeof value !== 'string') return layout.missing;
    const named = cells.names.indexOf(value);
    if (named >= 0) return named;
    return cells.others.includes(value) ? layout.inner : layout.inner + 1;
  }
  if (typeof value !== 'number' || Number.isNaN(value)) return layout.missing;
  if (!Number.isFinite(value)) return layout.missing + 1;
  const { range } = cells;
  if (range !== null && value < range[0]) return layout.inner + layout.atoms;
  if (range !== null && value > range[1]) return layout.inner + layout.atoms + 1;
  const atom = cells.atoms.indexOf(value);
  return atom >= 0 ? layout.inner + atom : innerCellOf(cells.edges, value);
};

/** Middle and scale of a feature in the reference; the scale is 0 where it had one value only. */
export interface Normal {
  readonly center: number;
  readonly scale: number;
}

/** @returns null where there is no baseline, or the feature is none of its numbers. */
export const normalOf = (baseline: BaselineSpec | null, name: string): Normal | null => {
  const found = baseline?.features.find((f) => f.name === name);
  if (found?.cells.kind !== 'numeric') return null;
  const { center, scale, atoms } = found.cells;
  const { inner } = layoutOf(found.cells);
  const isConstant = atoms.some((_, k) => found.counts[inner + k] === baseline?.rows);
  return { center, scale: isConstant ? 0 : scale };
};
