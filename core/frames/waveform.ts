import type { SignalValue } from '../contracts/frame.ts';
import type { SignalDefinition } from '../contracts/use-case.ts';

/** Samples at the signal's rate, the first at `time` (milliseconds since 1970). */
export interface Chunk {
  readonly time: number;
  readonly samples: readonly number[];
}

/** Share of the samples of a frame that may be missing and are drawn in between their neighbours. */
const MAX_FILLED = 0.01;

/** The samples of base64 of little-endian float32; undefined when the bytes are no whole samples, or none. */
export const decodeSamples = (base64: string): Float64Array | undefined => {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.length % 4 !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const samples = new Float64Array(bytes.length / 4);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getFloat32(4 * i, true);
  return samples;
};

/** Base64 of little-endian float32, as frames have it. */
export const encodeSamples = (samples: ArrayLike<number>): string => {
  const bytes = Buffer.alloc(4 * samples.length);
  for (let i = 0; i < samples.length; i++) bytes.writeFloatLE(samples[i] as number, 4 * i);
  return bytes.toString('base64');
};

/** Fills holes on the straight line between their neighbours, ends with the nearest. @returns how many there were. */
const fillHoles = (grid: Float64Array): number => {
  let filled = 0;
  let before = -1;
  for (let i = 0; i <= grid.length; i++) {
    if (i < grid.length && Number.isNaN(grid[i])) continue;
    for (let hole = before + 1; hole < i; hole++) {
      const left = before < 0 ? (grid[i] as number) : (grid[before] as number);
      const right = i === grid.length ? left : (grid[i] as number);
      grid[hole] = left + ((right - left) * (hole - before)) / (i - before);
      filled += 1;
    }
    before = i;
  }
  return filled;
};

/**
 * The waveform of a block: samples on the signal's grid, which begins with the block. A sample goes to the nearest place;
 * the first one there stays. Up to 1 % of missing places are drawn straight between their neighbours, which makes the
 * waveform UNCERTAIN; with more it is BAD.
 * @param chunks in order of time. @param start of the block, milliseconds since 1970.
 */
export const waveformOf = (signal: SignalDefinition, start: number, chunks: readonly Chunk[]): SignalValue => {
  const rate = signal.sampleRateHz as number;
  const length = signal.samples as number;
  const grid = new Float64Array(length).fill(Number.NaN);
  let there = 0;
  for (const { time, samples } of chunks) {
    const first = Math.round(((time - start) * rate) / 1000);
    for (const [i, sample] of samples.entries()) {
      const place = first + i;
      if (place < 0 || place >= length || !Number.isNaN(grid[place]) || !Number.isFinite(sample)) continue;
      grid[place] = sample;
      there += 1;
    }
  }
  if (there < length * (1 - MAX_FILLED)) return { quality: 'BAD', reason: `${there} of ${length} samples came` };
  const filled = fillHoles(grid);
  const samples = encodeSamples(grid);
  return filled === 0
    ? { samples, quality: 'GOOD' }
    : { samples, quality: 'UNCERTAIN', reason: `${filled} of ${length} samples are drawn between their neighbours` };
};
