import type { SignalValue } from '../../contracts/frame.ts';
import type { SignalDefinition } from '../../contracts/use-case.ts';
import { decodeSamples } from '../kernel/kernel.ts';

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
  { range: [low, high], samples: declared }: SignalDefinition,
): Float64Array | undefined => {
  if (given?.samples === undefined || given.quality === 'BAD') return undefined;
  const samples = decodeSamples(given.samples, low, high);
  if (samples === undefined || samples.length < MIN_SAMPLES) return undefined;
  return declared === undefined || declared === samples.length ? samples : undefined;
};
