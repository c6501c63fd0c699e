import type { NumericCells } from '../../contracts/baseline.ts';

/** A stretch of the axis that a part of one cell's rows lies on, evenly; of no width: all at one value. */
interface Stretch {
  /** Which count, −1 for none. */
  readonly cell: number;
  readonly part: number;
  readonly from: number;
  readonly width: number;
}

/** Where numbers lie, in order: the axis on which distances between two distributions over the same cells are measured. */
export interface Curve {
  readonly stretches: readonly Stretch[];
  /** How many counts come before those that are no place on the axis: missing and infinite. */
  readonly placed: number;
}

/**
 * Puts cells in order. Rows are taken as spread evenly between the edges of their cell; the outermost cells, which have no
 * outer edge, as wide as their neighbours, and what is beyond the range as at its end. So no single value, however wild,
 * moves a distance by more than its row's share, and a distance errs by less than one cell's width.
 */
export const curveOf = ({ edges, atoms, range, scale }: NumericCells): Curve => {
  const k = edges.length;
  const first = edges[0] as number;
  const last = edges[k - 1] as number;
  const placed = k + 1 + atoms.length + 2;
  const nearLow = k > 1 ? (edges[1] as number) - first : scale;
  const nearHigh = k > 1 ? last - (edges[k - 2] as number) : scale;
  const low = Math.min(Math.max(first - nearLow, range?.[0] ?? Number.NEGATIVE_INFINITY), first, ...atoms);
  const high = Math.max(Math.min(last + nearHigh, range?.[1] ?? Number.POSITIVE_INFINITY), last, ...atoms);
  const byPlace = atoms.map((at, i) => ({ at, cell: k + 1 + i })).sort((a, b) => a.at - b.at);
  const under = Math.min(low, range?.[0] ?? low);
  const over = Math.max(high, range?.[1] ?? high);
  const stretches: Stretch[] = [
    { cell: placed - 2, part: 1, from: under, width: 0 },
    { cell: -1, part: 0, from: under, width: low - under },
  ];
  let next = 0;
  for (let i = 0; i <= k; i++) {
    const [from, to] = [i === 0 ? low : (edges[i - 1] as number), i === k ? high : (edges[i] as number)];
    let at = from;
    const upTo = (end: number): void => {
      stretches.push({ cell: i, part: to > from ? (end - at) / (to - from) : 1, from: at, width: end - at });
      at = end;
    };
    while (next < byPlace.length && (byPlace[next] as { at: number }).at <= to) {
      const atom = byPlace[next++] as { at: number; cell: number };
      if (atom.at > at) upTo(atom.at);
      stretches.push({ cell: atom.cell, part: 1, from: atom.at, width: 0 });
    }
    if (at < to || to === from) upTo(to);
  }
  stretches.push({ cell: -1, part: 0, from: high, width: over - high });
  stretches.push({ cell: placed - 1, part: 1, from: over, width: 0 });
  return { stretches, placed };
};

/** Share of the rows on each stretch; null where no row has a place on the axis. */
export const sharesOn = ({ stretches, placed }: Curve, counts: readonly number[]): readonly number[] | null => {
  let total = 0;
  for (let i = 0; i < placed; i++) total += counts[i] as number;
  return total === 0
    ? null
    : stretches.map(({ cell, part }) => (cell < 0 ? 0 : ((counts[cell] as number) * part) / total));
};

/** Rows that have a place on the axis. */
export const placedRows = ({ placed }: Curve, counts: readonly number[]): number =>
  counts.slice(0, placed).reduce((a, b) => a + b, 0);

/** Value below which a share of the rows lies. */
export const quantileOn = ({ stretches }: Curve, shares: readonly number[], share: number): number => {
  let below = 0;
  for (let i = 0; i < stretches.length; i++) {
    const { from, width } = stretches[i] as Stretch;
    const here = shares[i] as number;
    if (here > 0 && below + here >= share) return from + (width * (share - below)) / here;
    below += here;
  }
  const end = stretches[stretches.length - 1] as Stretch;
  return end.from + end.width;
};
