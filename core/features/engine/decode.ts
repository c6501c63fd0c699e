import type { SignalValue } from '../../contracts/frame.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';

/** What the smallest transform needs. */
const MIN_SAMPLES = 4;

/** The value of a scalar signal that may be used; NaN when it is BAD, absent, out of its physical range or no number. */
export const usableValue = (given: SignalValue | undefined, signal: SignalDefinition): number => {
  if (given?.value === undefined || given.quality === 'BAD') return Number.NaN;
  return given.value >= signal.range[0] && given.value <= signal.range[1] ? given.value : Number.NaN;
};

/**
 * The samples of a waveform that may be used: little-endian float32 in base64. Undefined when they are BAD, absent, no
 * whole samples, too few or not as many as declared, or when one is out of the physical range or no number.
 */
export const usableSamples = (
  given: SignalValue | undefined,
  signal: SignalDefinition,
): Float64Array<ArrayBuffer> | undefined => {
  if (given?.samples === undefined || given.quality === 'BAD') return undefined;
  const bytes = Buffer.from(given.samples, 'base64');
  const count = bytes.length / 4;
  if (count < MIN_SAMPLES || count !== (signal.samples ?? Math.trunc(count))) return undefined;
  const [low, high] = signal.range;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const samples = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const value = view.getFloat32(4 * i, true);
    if (!(value >= low && value <= high)) return undefined;
    samples[i] = value;
  }
  return samples;
};
