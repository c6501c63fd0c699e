import type { Frame } from '../../contracts/frame.ts';

/** Column of each frame that is always there; those of the feature set follow. */
export const INDEX = 0;
export const TIME = 1;
export const FIRST_OWN = 2;

/**
 * The newest frames of one run as columns, in order of their index: what windows are cut from. Memory is fixed by
 * `held` and the number of columns.
 */
export class FrameHistory {
  readonly columns: readonly Float64Array[];
  readonly #contexts: string[];
  readonly #waiting: (Frame | null)[];
  readonly #held: number;
  readonly #capacity: number;
  readonly #key: string;
  readonly #keepsFrames: boolean;
  #begin = 0;
  #end = 0;

  /**
   * @param own columns beside those that are always there.
   * @param held a frame whose index is so far below the newest is forgotten.
   * @param keepsFrames whether `waiting` has frames to give.
   */
  constructor(key: string, own: number, held: number, keepsFrames: boolean) {
    this.#key = key;
    this.#keepsFrames = keepsFrames;
    this.#held = held;
    this.#capacity = 2 * held;
    this.columns = Array.from({ length: FIRST_OWN + own }, () => new Float64Array(this.#capacity));
    this.#contexts = new Array(this.#capacity).fill('');
    this.#waiting = new Array(this.#capacity).fill(null);
  }

  /** Index of its newest frame; 0 before the first. */
  get newest(): number {
    return this.#end === 0 ? 0 : this.#indexAt(this.#end - 1);
  }

  #indexAt(at: number): number {
    return (this.columns[INDEX] as Float64Array)[at] as number;
  }

  /** Does a frame belong to this run, not so late that what came before it is forgotten? */
  accepts(key: string, index: number): boolean {
    return key === this.#key && index > this.newest - this.#held;
  }

  /**
   * Makes room for an accepted frame, in its place by index.
   * @returns its place, and whether it was there already: then nothing changed.
   */
  take(frame: Frame): { readonly at: number; readonly known: boolean } {
    let at = this.#end;
    while (at > this.#begin && this.#indexAt(at - 1) >= frame.index) at--;
    if (at < this.#end && this.#indexAt(at) === frame.index) return { at, known: true };
    if (this.#end === this.#capacity) {
      this.#move(this.#begin, this.#end, 0);
      at -= this.#begin;
      this.#end -= this.#begin;
      this.#begin = 0;
      this.#waiting.fill(null, this.#end);
    }
    if (at < this.#end) this.#move(at, this.#end, at + 1);
    this.#end += 1;
    (this.columns[INDEX] as Float64Array)[at] = frame.index;
    // One text for a stretch: what is compared often is then compared by reference.
    const before = at > this.#begin ? this.#contexts[at - 1] : undefined;
    this.#contexts[at] = before === frame.context ? before : frame.context;
    this.#waiting[at] = this.#keepsFrames ? frame : null;
    for (; this.#indexAt(this.#begin) <= this.newest - this.#held; this.#begin++) this.#waiting[this.#begin] = null;
    return { at, known: false };
  }

  #move(from: number, to: number, target: number): void {
    for (const column of this.columns) column.copyWithin(target, from, to);
    this.#contexts.copyWithin(target, from, to);
    this.#waiting.copyWithin(target, from, to);
  }

  /** The frame as it came, once: until its waveforms were looked at. */
  waiting(at: number): Frame | null {
    const frame = this.#waiting[at] as Frame | null;
    this.#waiting[at] = null;
    return frame;
  }

  /** First place of the stretch of one context that ends at a place, at most `length` indexes back. */
  stretch(at: number, length: number): number {
    const oldest = this.#indexAt(at) - length;
    const context = this.#contexts[at];
    let start = at;
    while (start > this.#begin && this.#contexts[start - 1] === context && this.#indexAt(start - 1) > oldest) start--;
    return start;
  }
}
