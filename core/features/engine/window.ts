import type { Frame } from '../../contracts/frame.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';

/** A frame with its values checked and decoded once; what is BAD, absent or out of range is not in it. */
export interface DecodedFrame {
  readonly index: number;
  readonly sourceTime: string;
  readonly scalars: ReadonlyMap<string, number>;
  readonly waveforms: ReadonlyMap<string, Float64Array>;
  /** Waveform features already computed, by definition. */
  readonly memo: Map<string, number | undefined>;
}

/** What the smallest transform needs. */
const MIN_SAMPLES = 4;

/** Little-endian float32 samples of a base64 text; undefined when the bytes are no whole samples. */
export const decodeSamples = (base64: string): Float64Array | undefined => {
  const text = atob(base64);
  if (text.length % 4 !== 0) return undefined;
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(4 * i, true));
};

/** Drops what may not be used: BAD quality, values outside the physical range, NaN, waveforms of a wrong length. */
export const decodeFrame = (frame: Frame, signals: readonly SignalDefinition[]): DecodedFrame => {
  const scalars = new Map<string, number>();
  const waveforms = new Map<string, Float64Array>();
  for (const signal of signals) {
    const given = frame.signals[signal.name];
    if (given === undefined || given.quality === 'BAD') continue;
    const [low, high] = signal.range;
    if (signal.kind === 'scalar') {
      if (given.value !== undefined && given.value >= low && given.value <= high) scalars.set(signal.name, given.value);
    } else if (given.samples !== undefined) {
      const samples = decodeSamples(given.samples);
      if (samples === undefined || samples.length < MIN_SAMPLES) continue;
      const right = signal.samples === undefined || samples.length === signal.samples;
      if (right && samples.every((v) => v >= low && v <= high)) waveforms.set(signal.name, samples);
    }
  }
  return { index: frame.index, sourceTime: frame.sourceTime, scalars, waveforms, memo: new Map() };
};

/**
 * The last frames of one run of one asset in one context. A new run or context starts it anew: windows never span two
 * lives of a machine. Bounded by `length` frames, so it can be rebuilt from the last `length` frames of a run.
 */
export class FrameWindow {
  readonly #signals: readonly SignalDefinition[];
  readonly #length: number;
  #key = '';
  #frames: DecodedFrame[] = [];

  constructor(signals: readonly SignalDefinition[], length: number) {
    this.#signals = signals;
    this.#length = length;
  }

  /**
   * Takes a frame in. One that was there already changes nothing (machines send again what was not acknowledged), a
   * late one takes its place by index; one older than all of a full window starts it anew.
   * @returns the frames up to and with this one, oldest first, as a decision at its index may see them.
   */
  push(frame: Frame): readonly DecodedFrame[] {
    const key = `${frame.site}/${frame.asset}/${frame.run}/${frame.context}`;
    const oldest = this.#frames[0];
    const forgotten = this.#frames.length >= this.#length && oldest !== undefined && frame.index < oldest.index;
    if (key !== this.#key || forgotten) {
      this.#frames = [];
      this.#key = key;
    }
    if (!this.#frames.some((f) => f.index === frame.index)) {
      const place = this.#frames.findLastIndex((f) => f.index < frame.index) + 1;
      this.#frames.splice(place, 0, decodeFrame(frame, this.#signals));
      if (this.#frames.length > this.#length) this.#frames.shift();
    }
    return this.#frames.filter((f) => f.index <= frame.index);
  }
}
