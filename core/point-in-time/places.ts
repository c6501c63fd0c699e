/** Rows, as much as telling newer from older needs: parallel columns, times in milliseconds. */
export interface PlacedRows {
  readonly valid: Float64Array;
  readonly known: Float64Array;
  /** Decides between rows that are equal in both times: the larger. Absent: 0. */
  readonly index?: Float64Array | Int32Array;
  /** Decides after `index`: the larger text. */
  readonly source?: readonly string[];
}

/**
 * Places that hold one row each, the newest that was put there: by valid time, then known time, index, source. Columns
 * instead of objects, since there are some for each label and rows are many.
 */
export class Places {
  readonly #valid: Float64Array;
  readonly #known: Float64Array;
  readonly #index: Float64Array;
  readonly #row: Float64Array;
  readonly #source: (string | undefined)[];

  constructor(size: number) {
    this.#valid = new Float64Array(size);
    this.#known = new Float64Array(size);
    this.#index = new Float64Array(size);
    this.#row = new Float64Array(size).fill(-1);
    this.#source = new Array(size).fill(undefined);
  }

  /** Number of the row; −1: none. */
  rowAt(place: number): number {
    return this.#row[place] ?? -1;
  }

  validAt(place: number): number {
    return this.#valid[place] as number;
  }

  #isNewer(valid: number, known: number, index: number, source: string | undefined, place: number): boolean {
    if (valid !== this.#valid[place]) return valid > (this.#valid[place] as number);
    if (known !== this.#known[place]) return known > (this.#known[place] as number);
    if (index !== this.#index[place]) return index > (this.#index[place] as number);
    return source !== undefined && source > (this.#source[place] ?? '');
  }

  /**
   * Puts row `i` of some rows at a place, under a number, unless a newer one is there. Returns the number of the row that
   * gave way: −1 none, Infinity the row itself.
   */
  put(place: number, row: number, rows: PlacedRows, i: number): number {
    const held = this.#row[place] as number;
    const valid = rows.valid[i] as number;
    const known = rows.known[i] as number;
    const index = rows.index === undefined ? 0 : (rows.index[i] as number);
    if (held !== -1 && !this.#isNewer(valid, known, index, rows.source?.[i], place)) return Number.POSITIVE_INFINITY;
    this.#valid[place] = valid;
    this.#known[place] = known;
    this.#index[place] = index;
    this.#row[place] = row;
    if (rows.source !== undefined) this.#source[place] = rows.source[i] as string;
    return held;
  }

  /** Of two places the one with the newer row; −1 is none, and so is an empty place. */
  newer(a: number, b: number): number {
    if (a === -1 || this.#row[a] === -1) return b === -1 || this.#row[b] === -1 ? -1 : b;
    if (b === -1 || this.#row[b] === -1) return a;
    const [valid, known, index] = [this.#valid[a] as number, this.#known[a] as number, this.#index[a] as number];
    return this.#isNewer(valid, known, index, this.#source[a], b) ? a : b;
  }
}
