/** Slots of equal width between the outermost edges: about one for each cell near the middle. */
const SLOTS = 32;

/**
 * Inner cells of values of many features, as `innerCellOf` gives them, from a table: a slot of equal width tells which
 * few edges are left to compare with.
 */
export class CellFinder {
  /** Edges of feature i stand in #edges from #begin[i] on; of them, #below[i · (SLOTS + 1) + k] are in slots before k. */
  readonly #edges: Float64Array;
  readonly #begin: Int32Array;
  readonly #below: Uint16Array;
  readonly #low: Float64Array;
  readonly #perSlot: Float64Array;

  /** @param edges of each feature, ascending; none of a feature that has no numbers. */
  constructor(edges: readonly (readonly number[])[]) {
    this.#edges = Float64Array.from(edges.flat());
    this.#begin = new Int32Array(edges.length);
    this.#low = Float64Array.from(edges, (of) => of[0] ?? 0);
    this.#perSlot = Float64Array.from(edges, (of) => {
      const width = ((of.at(-1) ?? 0) - (of[0] ?? 0)) / SLOTS;
      return Number.isFinite(1 / width) ? 1 / width : 0;
    });
    this.#below = new Uint16Array(edges.length * (SLOTS + 1));
    let begin = 0;
    for (const [i, of] of edges.entries()) {
      this.#begin[i] = begin;
      begin += of.length;
      for (let k = 1; k <= SLOTS; k++)
        this.#below[i * (SLOTS + 1) + k] = of.filter((edge) => this.#slot(i, edge) < k).length;
    }
  }

  get bytes(): number {
    const of = [this.#edges, this.#begin, this.#below, this.#low, this.#perSlot];
    return of.reduce((sum, array) => sum + array.byteLength, 0);
  }

  /** Never falls as the value rises, so an edge in a slot before that of a value is below it; 0 where nothing can be told. */
  #slot(i: number, value: number): number {
    const slot = (value - (this.#low[i] as number)) * (this.#perSlot[i] as number);
    return slot > 0 ? (slot < SLOTS ? slot | 0 : SLOTS - 1) : 0;
  }

  /** @param i number of the feature. @param value finite. */
  find(i: number, value: number): number {
    const begin = this.#begin[i] as number;
    const at = i * (SLOTS + 1) + this.#slot(i, value);
    let low = begin + (this.#below[at] as number);
    let high = begin + (this.#below[at + 1] as number);
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#edges[middle] as number) <= value) low = middle + 1;
      else high = middle;
    }
    return low - begin;
  }
}
