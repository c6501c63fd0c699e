import { centralSums, decodeFloat32, envelopePower, hannPower, sums, transformSize } from './kernel.ts';

export interface Moments {
  readonly mean: number;
  readonly meanSquare: number;
  readonly low: number;
  readonly high: number;
}

/** Means of the second, third and fourth power of what differs from the mean. */
export interface CentralMoments {
  readonly second: number;
  readonly third: number;
  readonly fourth: number;
}

export interface Spectrum {
  /** Squared magnitude of bins 0…size/2; bin `i` belongs to `i · rate / size`. */
  readonly power: Float64Array;
  readonly size: number;
}

/** What is known of one waveform; arrays are used again for the next one that takes the place. */
interface Analysis {
  samples: Float64Array;
  moments: Moments | null;
  central: CentralMoments | null;
  /** Mean of the samples that spectra are of. */
  offset: number | null;
  hasPower: boolean;
  hasEnvelope: boolean;
  power: Spectrum;
  envelope: Spectrum;
}

/** Several features ask for the same of the same samples: the last waveforms asked for are kept, oldest out first. */
const KEPT = 16;
const kept: Analysis[] = [];
let newest = 0;

const NOTHING: Spectrum = { power: new Float64Array(0), size: 0 };

const NOTHING_KNOWN = { moments: null, central: null, offset: null, hasPower: false, hasEnvelope: false } as const;

const analysisOf = (samples: Float64Array): Analysis => {
  const last = kept[newest];
  if (last?.samples === samples) return last;
  const at = kept.findIndex((a) => a.samples === samples);
  if (at >= 0) {
    newest = at;
    return kept[at] as Analysis;
  }
  newest = (newest + 1) % KEPT;
  if (kept.length < KEPT) newest = kept.length;
  const old = kept[newest];
  const fresh = {
    samples,
    ...NOTHING_KNOWN,
    power: old?.power ?? NOTHING,
    envelope: old?.envelope ?? NOTHING,
  };
  kept[newest] = fresh;
  return fresh;
};

/**
 * Samples of little-endian float32 in base64, as frames carry them.
 * @param room samples that nobody needs any more; where it has the length, it is given out again.
 * @returns undefined where that is no whole number of samples, or one lies outside low…high or is no number.
 */
export const decodeSamples = (
  base64: string,
  low: number,
  high: number,
  room?: Float64Array,
): Float64Array | undefined => {
  // What is known of what was in it holds no longer, whether or not the new samples are good.
  const known = room === undefined ? undefined : kept.find((a) => a.samples === room);
  if (known !== undefined) Object.assign(known, NOTHING_KNOWN);
  return decodeFloat32(base64, low, high, room);
};

/** @param samples at least one, all finite; they must not be changed afterwards (as for every function here). */
export const moments = (samples: Float64Array): Moments => {
  const analysis = analysisOf(samples);
  if (analysis.moments === null) {
    const n = samples.length;
    const [sum, squares, low, high] = sums(samples, n);
    analysis.moments = { mean: sum / n, meanSquare: squares / n, low, high };
  }
  return analysis.moments;
};

export const centralMoments = (samples: Float64Array): CentralMoments => {
  const { mean } = moments(samples);
  const analysis = analysisOf(samples);
  if (analysis.central === null) {
    const n = samples.length;
    const [second, third, fourth] = centralSums(samples, mean);
    analysis.central = { second: second / n, third: third / n, fourth: fourth / n };
  }
  return analysis.central;
};

const offsetOf = (analysis: Analysis): number => {
  if (analysis.offset === null) {
    const size = transformSize(analysis.samples.length);
    analysis.offset =
      size === analysis.samples.length ? moments(analysis.samples).mean : sums(analysis.samples, size)[0] / size;
  }
  return analysis.offset;
};

const roomFor = (old: Spectrum, length: number): Spectrum => {
  const size = transformSize(length);
  return old.size === size ? old : { power: new Float64Array(size / 2 + 1), size };
};

/**
 * Hann-windowed one-sided power spectrum of the newest 2^k samples (at least 4), without their mean: else the window
 * would spread a constant offset into bin 1.
 * @returns what holds until spectra of 16 other waveforms were asked for.
 */
export const powerSpectrum = (samples: Float64Array): Spectrum => {
  const analysis = analysisOf(samples);
  if (!analysis.hasPower) {
    analysis.power = roomFor(analysis.power, samples.length);
    hannPower(samples, offsetOf(analysis), analysis.power.power);
    analysis.hasPower = true;
  }
  return analysis.power;
};

/**
 * The same of the envelope of the newest 2^k samples: absolute value of the analytic signal, by transform (Marple 1999).
 * Their mean is taken off first, else it would beat with every oscillation.
 */
export const envelopeSpectrum = (samples: Float64Array): Spectrum => {
  const analysis = analysisOf(samples);
  if (!analysis.hasEnvelope) {
    analysis.envelope = roomFor(analysis.envelope, samples.length);
    envelopePower(samples, offsetOf(analysis), analysis.envelope.power);
    analysis.hasEnvelope = true;
  }
  return analysis.envelope;
};
