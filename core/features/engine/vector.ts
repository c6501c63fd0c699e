import { usableSamples } from './decode.ts';
import { FIRST_OWN, type FrameHistory, INDEX, TIME } from './history.ts';
import type { Plan, ScalarTask, WaveformTask, WindowTask } from './plan.ts';

export type FeatureVector =
  | { readonly ok: true; readonly x: readonly number[] }
  | { readonly ok: false; readonly missing: readonly string[] };

/** Does what a plan says; keeps no frame. */
export class VectorComputer {
  readonly #plan: Plan;
  /** Ages of a window without holes, its newest last. */
  readonly #ages: Float64Array;
  readonly #goodValues: Float64Array;
  readonly #goodAges: Float64Array;
  readonly #holedAges: Float64Array;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#ages = Float64Array.from({ length: plan.length }, (_, i) => plan.length - 1 - i);
    this.#goodValues = new Float64Array(plan.length);
    this.#goodAges = new Float64Array(plan.length);
    this.#holedAges = new Float64Array(plan.length);
  }

  readonly vectorAt = (history: FrameHistory, at: number): FeatureVector => {
    const plan = this.#plan;
    if (plan.waveformLength > 0) this.#readWaveforms(history, history.start(at, plan.waveformLength), at);
    const x = new Array<number>(plan.names.length).fill(Number.NaN);
    for (const task of plan.tasks) {
      const start = history.start(at, task.window);
      if (task.kind === 'scalar') this.#scalar(task, history, start, at, x);
      else if (task.kind === 'waveform') x[task.at] = this.#waveform(task, history, start, at);
      else x[task.at] = this.#window(task, history, start, at) ?? Number.NaN;
    }
    let complete = true;
    for (const value of x) complete &&= Number.isFinite(value);
    if (!complete) return { ok: false, missing: plan.names.filter((_, i) => !Number.isFinite(x[i])) };
    return { ok: true, x };
  };

  #scalar(task: ScalarTask, history: FrameHistory, start: number, at: number, x: number[]): void {
    const index = history.columns[INDEX] as Float64Array;
    const column = history.columns[task.column] as Float64Array;
    const newest = index[at] as number;
    const length = at - start + 1;
    const isWhole =
      ((history.columns[task.column + 1] as Float64Array)[at] as number) >= length &&
      newest - (index[start] as number) === at - start;
    const points = isWhole
      ? { values: column.subarray(start, at + 1), ages: this.#ages.subarray(this.#ages.length - length) }
      : this.#goodPoints(column, index, start, at);
    if (points.values.length === 0) return;
    for (const { feature, params, at: place } of task.outputs) x[place] = feature.compute(points, params) ?? Number.NaN;
  }

  #goodPoints(column: Float64Array, index: Float64Array, start: number, at: number) {
    const newest = index[at] as number;
    let k = 0;
    for (let i = start; i <= at; i++) {
      if (Number.isNaN(column[i])) continue;
      this.#goodValues[k] = column[i] as number;
      this.#goodAges[k++] = newest - (index[i] as number);
    }
    return { values: this.#goodValues.subarray(0, k), ages: this.#goodAges.subarray(0, k) };
  }

  #waveform(task: WaveformTask, history: FrameHistory, start: number, at: number): number {
    const column = history.columns[task.column] as Float64Array;
    let sum = 0;
    let count = 0;
    for (let i = start; i <= at; i++) {
      const value = column[i] as number;
      if (Number.isNaN(value)) continue;
      sum += value;
      count += 1;
    }
    return count === 0 ? Number.NaN : sum / count;
  }

  #window(task: WindowTask, history: FrameHistory, start: number, at: number): number | undefined {
    const { columns } = history;
    const index = columns[INDEX] as Float64Array;
    const count = at - start + 1;
    let ages = this.#ages.subarray(this.#ages.length - count);
    if ((index[at] as number) - (index[start] as number) !== at - start) {
      ages = this.#holedAges.subarray(0, count);
      for (let i = 0; i < count; i++) ages[i] = (index[at] as number) - (index[start + i] as number);
    }
    const cut = (column: number): Float64Array => (columns[column] as Float64Array).subarray(start, at + 1);
    return task.feature.compute({
      ages,
      times: cut(TIME),
      values: cut(task.column),
      column: (param, i = 0) => cut(task.named.get(param)?.[i] as number),
      length: task.window,
      params: task.params,
    });
  }

  /** What waveforms say is asked once a frame; the samples themselves are then not needed any more. */
  #readWaveforms(history: FrameHistory, start: number, at: number): void {
    const { waveforms, scalars, signals } = this.#plan;
    for (let i = start; i <= at; i++) {
      const frame = history.waiting(i);
      if (frame === null) continue;
      const decoded = new Map<string, Float64Array | undefined>();
      const samplesOf = (name: string): Float64Array | undefined => {
        if (!decoded.has(name)) {
          const signal = signals.get(name);
          decoded.set(name, signal?.kind === 'waveform' ? usableSamples(frame.signals[name], signal) : undefined);
        }
        return decoded.get(name);
      };
      waveforms.forEach(({ feature, signal, params, scalars: named }, k) => {
        const scalar = (name: string): number | undefined => {
          const value = history.columns[named.get(name) ?? -1]?.[i] ?? Number.NaN;
          return Number.isNaN(value) ? undefined : value;
        };
        const samples = samplesOf(signal.name);
        const value =
          samples === undefined ? undefined : feature.compute({ samples, signal, params, scalar, waveform: samplesOf });
        (history.columns[FIRST_OWN + 2 * scalars.length + k] as Float64Array)[i] =
          value !== undefined && Number.isFinite(value) ? value : Number.NaN;
      });
    }
  }
}
