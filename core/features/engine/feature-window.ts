import type { Frame } from '../../contracts/frame.ts';
import { usableValue } from './decode.ts';
import { FIRST_OWN, FrameHistory, TIME } from './history.ts';
import type { Plan, ScalarColumn } from './plan.ts';
import type { FeatureVector } from './vector.ts';

/** A frame this far behind the newest of its run (frames) gets the window that it would have had in time. */
export const LATENESS_FRAMES = 64;

/** Runs whose frames may come mixed: the one that goes on, and one that is sent late or again. */
const MIXED_RUNS = 2;

/**
 * The windows of one asset. Frames are taken in any order; each has its place by run and index. A window never spans two
 * runs, nor two contexts, and is cut from the newest frames only: after a restart, or where a shard begins, it is the
 * same as soon as the `length − 1` frames before were remembered.
 */
export class FeatureWindow {
  readonly #plan: Plan;
  readonly #vectorAt: (history: FrameHistory, at: number) => FeatureVector;
  /** The one used last first. */
  #histories: FrameHistory[] = [];

  constructor(plan: Plan, vectorAt: (history: FrameHistory, at: number) => FeatureVector) {
    this.#plan = plan;
    this.#vectorAt = vectorAt;
  }

  /** Takes a frame in without computing. One that was there already changes nothing. */
  remember(frame: Frame): void {
    this.#take(frame);
  }

  /**
   * Takes a frame in. One that was there already changes nothing: machines send again what was not acknowledged.
   * @returns what the frames up to and with this one say, or the features that have no value.
   */
  push(frame: Frame): FeatureVector {
    const { history, at } = this.#take(frame);
    return this.#vectorAt(history, at);
  }

  #take(frame: Frame): { readonly history: FrameHistory; readonly at: number } {
    const plan = this.#plan;
    const history = this.#historyOf(frame);
    const { at, known } = history.take(frame);
    if (known) return { history, at };
    const { columns, end } = history;
    if (plan.needsTime) (columns[TIME] as Float64Array)[at] = Date.parse(frame.sourceTime);
    for (let k = 0; k < plan.scalars.length; k++) {
      const { signal, convert } = plan.scalars[k] as ScalarColumn;
      const values = columns[FIRST_OWN + 2 * k] as Float64Array;
      const runs = columns[FIRST_OWN + 2 * k + 1] as Float64Array;
      values[at] = convert(usableValue(frame.signals[signal.name], signal));
      for (let i = at; i < end; i++) runs[i] = Number.isNaN(values[i]) ? 0 : 1 + (i > 0 ? (runs[i - 1] as number) : 0);
    }
    return { history, at };
  }

  /** Where runs are mixed, a frame belongs to the history whose newest frame is nearest. */
  #historyOf(frame: Frame): FrameHistory {
    const [front] = this.#histories;
    if (front?.accepts(frame) && frame.index === front.newest + 1) return front;
    const far = (h: FrameHistory): number => Math.abs(frame.index - h.newest);
    const [found] = this.#histories.filter((h) => h.accepts(frame)).sort((a, b) => far(a) - far(b));
    const { scalars, waveforms, length } = this.#plan;
    const history =
      found ??
      new FrameHistory(frame, 2 * scalars.length + waveforms.length, length + LATENESS_FRAMES, waveforms.length > 0);
    this.#histories = [history, ...this.#histories.filter((h) => h !== history)].slice(0, MIXED_RUNS);
    return history;
  }
}
