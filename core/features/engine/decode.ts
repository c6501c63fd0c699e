import type { SignalValue } from '../../contracts/frame.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import { decodeSamples } from '../kernel/analysis.ts';

/** What the smallest transform needs. */
const MIN_SAMPLES = 4;

/** The value of a scalar signal that may be used; NaN when it is BAD, absent, out of its physical range or no number. */
export const usableValue = (given: SignalValue | undefined, signal: SignalDefinition): number => {
  if (given?.value === undefined || given.quality === 'BAD') return Number.NaN;
  return given.value >= signal.range[0] && given.value <= signal.range[1] ? given.value : Number.NaN;
};

/** The samples that each signal had last: their memory serves the next ones. */
const rooms = new WeakMap<SignalDefinition, Float64Array>();

/**
 * The samples of a waveform that may be used: little-endian float32 in base64. Undefined when they are BAD, absent, no
 * whole samples, too few or not as many as declared, or when one is out of the physical range or no number.
 * They hold until samples of the same signal are asked for again.
 */
export const usableSamples = (given: SignalValue | undefined, signal: SignalDefinition): Float64Array | undefined => {
  if (given?.samples === undefined || given.quality === 'BAD') return undefined;
  const [low, high] = signal.range;
  const samples = decodeSamples(given.samples, low, high, rooms.get(signal));
  if (samples === undefined || samples.length < MIN_SAMPLES) return undefined;
  rooms.set(signal, samples);
  return signal.samples === undefined || signal.samples === samples.length ? samples : undefined;
};
