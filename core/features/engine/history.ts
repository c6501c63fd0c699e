import type { Frame } from '../../contracts/frame.ts';

/** Columns of each frame that are always there; those of the feature set follow. */
export const INDEX = 0;
export const TIME = 1;
/** How many frames up to this one are of its context, without another between. */
const STRETCH = 2;
export const FIRST_OWN = 3;

/**
 * The newest frames of one run as columns, in order of their index: what windows are cut from. Memory is fixed by
 * `held` and the number of columns.
 */
export class FrameHistory {
  readonly columns: readonly Float64Array[];
  readonly #index: Float64Array;
  readonly #stretch: Float64Array;
  readonly #contexts: string[];
  readonly #waiting: (Frame | null)[];
  readonly #held: number;
  readonly #capacity: number;
  readonly #run: Pick<Frame, 'site' | 'asset' | 'run'>;
  readonly #keepsFrames: boolean;
  #begin = 0;
  #end = 0;

  /**
   * @param own columns beside those that are always there.
   * @param held a frame whose index is so far below the newest is forgotten.
   * @param keepsFrames whether `waiting` has frames to give.
   */
  constructor(run: Pick<Frame, 'site' | 'asset' | 'run'>, own: number, held: number, keepsFrames: boolean) {
    this.#run = { site: run.site, asset: run.asset, run: run.run };
    this.#keepsFrames = keepsFrames;
    this.#held = held;
    this.#capacity = 2 * held;
    this.columns = Array.from({ length: FIRST_OWN + own }, () => new Float64Array(this.#capacity));
    this.#index = this.columns[INDEX] as Float64Array;
    this.#stretch = this.columns[STRETCH] as Float64Array;
    this.#contexts = new Array(this.#capacity).fill('');
    this.#waiting = new Array(this.#capacity).fill(null);
  }

  /** Index of its newest frame; 0 before the first. */
  get newest(): number {
    return this.#end === 0 ? 0 : (this.#index[this.#end - 1] as number);
  }

  /** Place behind its newest frame. */
  get end(): number {
    return this.#end;
  }

  /** Does a frame belong to this run, not so late that what came before it is forgotten? */
  accepts(frame: Frame): boolean {
    const { site, asset, run } = this.#run;
    return frame.run === run && frame.asset === asset && frame.site === site && frame.index > this.newest - this.#held;
  }

  /**
   * Makes room for an accepted frame, in its place by index.
   * @returns its place, and whether it was there already: then nothing changed.
   */
  take(frame: Frame): { readonly at: number; readonly known: boolean } {
    const index = this.#index;
    let at = this.#end;
    while (at > this.#begin && (index[at - 1] as number) >= frame.index) at--;
    if (at < this.#end && index[at] === frame.index) return { at, known: true };
    if (this.#end === this.#capacity) {
      this.#move(this.#begin, this.#end, 0);
      at -= this.#begin;
      this.#end -= this.#begin;
      this.#begin = 0;
      this.#waiting.fill(null, this.#end);
    }
    if (at < this.#end) this.#move(at, this.#end, at + 1);
    this.#end += 1;
    index[at] = frame.index;
    this.#contexts[at] = frame.context;
    this.#waiting[at] = this.#keepsFrames ? frame : null;
    for (let i = at; i < this.#end; i++) {
      const goesOn = i > this.#begin && this.#contexts[i] === this.#contexts[i - 1];
      this.#stretch[i] = goesOn ? (this.#stretch[i - 1] as number) + 1 : 1;
    }
    for (; (index[this.#begin] as number) <= this.newest - this.#held; this.#begin++) this.#waiting[this.#begin] = null;
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

  /** First place of the frames of one context that end at a place and are less than `length` indexes before it. */
  start(at: number, length: number): number {
    const oldest = (this.#index[at] as number) - length;
    // Of what is forgotten some may still be counted in the stretch.
    let start = Math.max(this.#begin, at - (this.#stretch[at] as number) + 1, at - length + 1);
    while ((this.#index[start] as number) <= oldest) start++;
    return start;
  }
}
