import { type PlacedRows, Places } from './places.ts';

/** Labels that wait for their row: parallel columns. */
export interface JoinLabels {
  /** Whose row is wanted: any numbering from 0, the same as that of the rows. */
  readonly entity: Int32Array;
  /** For when, milliseconds since 1970: no row may be valid later. */
  readonly time: Float64Array;
  /** By when it had to be known; absent: by `time`. */
  readonly asOf?: Float64Array;
}

/** Some rows of a bi-temporal table: parallel columns. */
export interface JoinRows extends PlacedRows {
  /** −1: a row of no label's entity. */
  readonly entity: Int32Array;
  /** From when on it was known that the row is another or none (`supersededAt`); absent: never. */
  readonly until?: Float64Array;
}

/** A join that goes on: rows are pushed as they are read, in any order. */
export interface PointInTimeJoin {
  /**
   * Takes rows. Returns the places that a row of this call came to: who keeps what a row holds for each place, and gives
   * up what was there before, has it for every label at the end.
   * @throws {RangeError} naming a row whose times are no numbers.
   */
  push(rows: JoinRows): readonly number[];
  /** Number of the row at a place, counted from 0 over all calls; −1: none. */
  rowAt(place: number): number;
  /** For each label the place of its row; −1: there is none that was valid, known, and not too old. */
  result(): Int32Array;
}

/** First place in the ascending `keys[from, to)` whose key is not below `key`; `to` when there is none. */
const lowerBound = (keys: Float64Array, from: number, to: number, key: number): number => {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Calls for each node of a segment tree over `size` leaves that together cover the leaves `[from, to)`. */
const cover = (size: number, from: number, to: number, node: (n: number) => void): void => {
  for (let low = from + size, high = to + size; low < high; low >>= 1, high >>= 1) {
    if (low & 1) node(low++);
    if (high & 1) node(--high);
  }
};

/** Calls for each node that covers a leaf of a segment tree over `size` leaves. */
const covering = (size: number, leaf: number, node: (n: number) => void): void => {
  for (let n = leaf + size; n >= 1; n >>= 1) node(n);
};

/** A run of places with ascending keys: a row at one of them is a candidate for all that follow. */
interface Ladder {
  readonly from: number;
  readonly to: number;
}

/** An entity with a label whose `asOf` is not its time: a segment tree over `asOf`, each node a ladder over times. */
interface Tree {
  readonly asOfs: Float64Array;
  readonly nodes: readonly Ladder[];
}

/**
 * Joins each label to the row that was the newest for it: of the rows of its entity that are valid at or before its
 * `time`, were known by its `asOf`, and were not known to be superseded by then, the one with the largest valid time, then
 * known time, then index, then source.
 *
 * A row is put where the first label is that may see it; at the end the running maximum along the labels, in order of
 * time, gives each its row. For labels whose `asOf` is their time one such ladder an entity is enough, since a row may be
 * seen from max(valid, known) on; one that is superseded is seen by a range of labels and goes to the nodes of a segment
 * tree that cover the range. Where `asOf` differs, the bounds are a dominance query in two dimensions, answered offline by
 * a segment tree over `asOf` whose nodes are ladders (Bentley 1980). Work O(log n) or O(log² n) a row and memory O(n) or
 * O(n log n) in the labels n of an entity, whatever the number of rows.
 * @param maxAge of a row at its label's time, milliseconds; older is no row.
 * @throws {RangeError} naming a label whose time is no number.
 */
export const makePointInTimeJoin = (labels: JoinLabels, maxAge: number = Number.POSITIVE_INFINITY): PointInTimeJoin => {
  const { entity, time } = labels;
  const asOf = labels.asOf ?? time;
  const count = entity.length;
  for (let i = 0; i < count; i++)
    if (!(Number.isFinite(time[i]) && Number.isFinite(asOf[i])))
      throw new RangeError(`label ${i}: expected a time and an as-of time in milliseconds since 1970`);

  // Labels of an entity stand together, by time.
  const order = Array.from({ length: count }, (_, i) => i).sort(
    (a, b) => (entity[a] as number) - (entity[b] as number) || (time[a] as number) - (time[b] as number) || a - b,
  );
  const entities = count === 0 ? 0 : (entity[order[count - 1] as number] as number) + 1;
  const starts = new Int32Array(entities + 1);
  for (const label of order) (starts[(entity[label] as number) + 1] as number)++;
  for (let e = 0; e < entities; e++) (starts[e + 1] as number) += starts[e] as number;

  // Places: a ladder over all labels as they stand in `order`, the nodes of an entity's segment tree, ladders of trees.
  const times: number[] = [];
  const trees = new Map<number, Tree>();
  const ownPlaces = new Map<number, number[]>();
  for (let e = 0; e < entities; e++) {
    const own = order.slice(starts[e], starts[e + 1]);
    if (own.every((i) => asOf[i] === time[i])) continue;
    const asOfs = Float64Array.from(new Set(own.map((i) => asOf[i] as number))).sort();
    const members: number[][] = Array.from({ length: 2 * asOfs.length }, () => []);
    for (const i of own)
      covering(asOfs.length, lowerBound(asOfs, 0, asOfs.length, asOf[i] as number), (n) => members[n]?.push(i));
    for (const i of own) ownPlaces.set(i, []);
    const nodes = members.map((some): Ladder => {
      const from = 3 * count + times.length;
      for (const i of some) ownPlaces.get(i)?.push(3 * count + times.push(time[i] as number) - 1);
      return { from, to: from + some.length };
    });
    trees.set(e, { asOfs, nodes });
  }
  const size = 3 * count + times.length;
  const keys = new Float64Array(size);
  for (const [n, label] of order.entries()) keys[n] = time[label] as number;
  keys.set(times, 3 * count);
  const places = new Places(size);
  let pushed = 0;

  const push = (rows: JoinRows): readonly number[] => {
    const touched: number[] = [];
    const first = pushed;
    const put = (i: number, place: number): void => {
      const gaveWay = places.put(place, first + i, rows, i);
      if (gaveWay < first) touched.push(place);
    };
    let place = 0;
    for (let i = 0; i < rows.entity.length; i++) {
      const e = rows.entity[i] as number;
      if (e < 0 || e >= entities) continue;
      const valid = rows.valid[i] as number;
      const known = rows.known[i] as number;
      const until = rows.until === undefined ? Number.POSITIVE_INFINITY : (rows.until[i] as number);
      if (!(Math.abs(valid) < Number.POSITIVE_INFINITY && Math.abs(known) < Number.POSITIVE_INFINITY))
        throw new RangeError(`row ${first + i}: expected valid and known time in milliseconds since 1970`);
      if (!(until > known)) continue;
      const tree = trees.get(e);
      if (tree !== undefined) {
        const n = tree.asOfs.length;
        const from = lowerBound(tree.asOfs, 0, n, known);
        cover(n, from, lowerBound(tree.asOfs, from, n, until), (node) => {
          const ladder = tree.nodes[node] as Ladder;
          const at = lowerBound(keys, ladder.from, ladder.to, valid);
          if (at < ladder.to) put(i, at);
        });
        continue;
      }
      const from = starts[e] as number;
      const to = starts[e + 1] as number;
      const seenFrom = valid > known ? valid : known;
      // Rows mostly come in order of time: the place of the row before is tried first.
      const same =
        place >= from &&
        place < to &&
        seenFrom <= (keys[place] as number) &&
        (place === from || (keys[place - 1] as number) < seenFrom);
      if (!same) place = lowerBound(keys, from, to, seenFrom);
      if (place === to) continue;
      const end = until === Number.POSITIVE_INFINITY ? to : lowerBound(keys, place, to, until);
      if (end === to) put(i, place);
      else cover(to - from, place - from, end - from, (node) => put(i, count + 2 * from + node));
    }
    pushed += rows.entity.length;
    return touched;
  };

  /** The newest row up to each place of a ladder. */
  const climb = ({ from, to }: Ladder, best: Int32Array): void => {
    for (let place = from; place < to; place++)
      best[place] = places.newer(place === from ? -1 : (best[place - 1] as number), place);
  };

  const result = (): Int32Array => {
    const best = new Int32Array(size);
    const found = new Int32Array(count);
    for (let e = 0; e < entities; e++) {
      const from = starts[e] as number;
      const to = starts[e + 1] as number;
      const tree = trees.get(e);
      if (tree === undefined) climb({ from, to }, best);
      else for (const node of tree.nodes) climb(node, best);
      for (let n = from; n < to; n++) {
        const label = order[n] as number;
        let place = -1;
        if (tree === undefined) {
          place = best[n] as number;
          covering(to - from, n - from, (node) => {
            place = places.newer(place, count + 2 * from + node);
          });
        } else for (const own of ownPlaces.get(label) ?? []) place = places.newer(place, best[own] as number);
        found[label] = place !== -1 && (time[label] as number) - places.validAt(place) <= maxAge ? place : -1;
      }
    }
    return found;
  };
  return { push, rowAt: (place) => places.rowAt(place), result };
};
