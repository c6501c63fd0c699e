/** Labels that wait for their row: parallel columns. */
export interface JoinLabels {
  /** Whose row is wanted: any numbering from 0, the same as that of the rows. */
  readonly entity: Int32Array;
  /** For when, milliseconds since 1970: no row may be valid later. */
  readonly time: Float64Array;
  /** What was known by then; absent: by `time`. */
  readonly asOf?: Float64Array;
}

/** Some rows of a bi-temporal table: parallel columns. */
export interface JoinRows {
  /** −1: a row of no label's entity. */
  readonly entity: Int32Array;
  readonly valid: Float64Array;
  readonly known: Float64Array;
  /** Decides between rows that are equal in both times: the larger. Absent: 0. */
  readonly index?: Float64Array | Int32Array;
  /** Decides after `index`: the larger text. */
  readonly source?: readonly string[];
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

/** A run of places with ascending keys: a row at one of them is a candidate for all that follow. */
interface Ladder {
  readonly from: number;
  readonly to: number;
}

/** An entity with a label whose `asOf` is not its time: a Fenwick tree over `asOf`, each node a ladder over times. */
interface Tree {
  readonly asOfs: Float64Array;
  readonly nodes: readonly Ladder[];
}

/** Positions of the nodes that a prefix query of a Fenwick tree visits (Fenwick 1994), 1-based. */
const pathTo = (rank: number): number[] => {
  const path: number[] = [];
  for (let i = rank + 1; i > 0; i -= i & -i) path.push(i);
  return path;
};

/**
 * Joins each label to the row that was the newest for it: of the rows of its entity that are valid at or before its
 * `time` and were known by its `asOf`, the one with the largest valid time, then known time, then index, then source.
 *
 * A row is put where the first label is that may see it; at the end the running maximum along the labels, in order of
 * time, gives each its row. For labels whose `asOf` is their time one ladder an entity is enough, since a row may be seen
 * from max(valid, known) on. Where they differ, the two bounds are a dominance query in two dimensions, answered offline
 * by a Fenwick tree whose nodes are ladders (Bentley 1980). Work O(log n) or O(log² n) a row and memory O(n) or
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

  const trees = new Map<number, Tree>();
  const places: Int32Array[] = new Array(count);
  const keysOfTrees: number[] = [];
  for (let e = 0; e < entities; e++) {
    const own = order.slice(starts[e], starts[e + 1]);
    if (own.every((i) => asOf[i] === time[i])) continue;
    const asOfs = Float64Array.from(new Set(own.map((i) => asOf[i] as number))).sort();
    const members: number[][] = Array.from({ length: asOfs.length + 1 }, () => []);
    const paths = own.map((i) => pathTo(lowerBound(asOfs, 0, asOfs.length, asOf[i] as number)));
    for (const [n, path] of paths.entries()) for (const node of path) (members[node] as number[]).push(n);
    const placeOf: number[][] = own.map(() => []);
    const nodes = members.map((ns): Ladder => {
      const from = count + keysOfTrees.length;
      for (const n of ns) {
        (placeOf[n] as number[]).push(count + keysOfTrees.length);
        keysOfTrees.push(time[own[n] as number] as number);
      }
      return { from, to: count + keysOfTrees.length };
    });
    for (const [n, label] of own.entries()) places[label] = Int32Array.from(placeOf[n] as number[]);
    trees.set(e, { asOfs, nodes });
  }

  // A place each: for labels as they stand in `order`, then for the nodes of trees.
  const size = count + keysOfTrees.length;
  const keys = new Float64Array(size);
  for (const [n, label] of order.entries()) keys[n] = time[label] as number;
  keys.set(keysOfTrees, count);
  const bestValid = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  const bestKnown = new Float64Array(size).fill(Number.NEGATIVE_INFINITY);
  const bestIndex = new Float64Array(size);
  const bestRow = new Float64Array(size).fill(-1);
  const bestSource: (string | undefined)[] = new Array(size).fill(undefined);
  let pushed = 0;

  const isNewer = (valid: number, known: number, index: number, source: string | undefined, place: number): boolean => {
    if (valid !== bestValid[place]) return valid > (bestValid[place] as number);
    if (known !== bestKnown[place]) return known > (bestKnown[place] as number);
    if (index !== bestIndex[place]) return index > (bestIndex[place] as number);
    return source !== undefined && source > (bestSource[place] ?? '');
  };

  /** Puts a row at a place, unless a newer one is there. Says whether it is the first of this call. */
  const put = (rows: JoinRows, i: number, place: number, first: number): boolean => {
    const valid = rows.valid[i] as number;
    const known = rows.known[i] as number;
    const index = rows.index === undefined ? 0 : (rows.index[i] as number);
    const held = bestRow[place] as number;
    if (held !== -1 && !isNewer(valid, known, index, rows.source?.[i], place)) return false;
    bestValid[place] = valid;
    bestKnown[place] = known;
    bestIndex[place] = index;
    if (rows.source !== undefined) bestSource[place] = rows.source[i] as string;
    bestRow[place] = first + i;
    return held < first;
  };

  const push = (rows: JoinRows): readonly number[] => {
    const touched: number[] = [];
    const first = pushed;
    let place = 0;
    for (let i = 0; i < rows.entity.length; i++) {
      const e = rows.entity[i] as number;
      if (e < 0 || e >= entities) continue;
      const valid = rows.valid[i] as number;
      const known = rows.known[i] as number;
      if (!(Math.abs(valid) < Number.POSITIVE_INFINITY && Math.abs(known) < Number.POSITIVE_INFINITY))
        throw new RangeError(`row ${first + i}: expected valid and known time in milliseconds since 1970`);
      const tree = trees.get(e);
      if (tree === undefined) {
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
        if (place < to && put(rows, i, place, first)) touched.push(place);
        continue;
      }
      const n = tree.asOfs.length;
      for (let node = lowerBound(tree.asOfs, 0, n, known) + 1; node <= n; node += node & -node) {
        const { from, to } = tree.nodes[node] as Ladder;
        const at = lowerBound(keys, from, to, valid);
        if (at < to && put(rows, i, at, first)) touched.push(at);
      }
    }
    pushed += rows.entity.length;
    return touched;
  };

  /** Of two places the one with the newer row; −1 is none. */
  const newer = (a: number, b: number): number => {
    if (a === -1 || bestRow[a] === -1) return b;
    if (b === -1 || bestRow[b] === -1) return a;
    return isNewer(bestValid[a] as number, bestKnown[a] as number, bestIndex[a] as number, bestSource[a], b) ? a : b;
  };
  const climb = ({ from, to }: Ladder, best: Int32Array): void => {
    for (let place = from; place < to; place++) {
      const before = place === from ? -1 : (best[place - 1] as number);
      best[place] = newer(before, bestRow[place] === -1 ? -1 : place);
    }
  };

  const result = (): Int32Array => {
    const best = new Int32Array(size);
    for (let e = 0; e < entities; e++) {
      const tree = trees.get(e);
      if (tree === undefined) climb({ from: starts[e] as number, to: starts[e + 1] as number }, best);
      else for (const node of tree.nodes) climb(node, best);
    }
    const found = new Int32Array(count).fill(-1);
    for (const [n, label] of order.entries()) {
      const own = places[label];
      const place = own === undefined ? (best[n] as number) : own.reduce((a, p) => newer(a, best[p] as number), -1);
      if (place !== -1 && (time[label] as number) - (bestValid[place] as number) <= maxAge) found[label] = place;
    }
    return found;
  };
  return { push, rowAt: (place) => bestRow[place] ?? -1, result };
};
