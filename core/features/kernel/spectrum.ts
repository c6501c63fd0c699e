import FFT from 'fft.js';

/** Taylor polynomials of cosine and sine, exact to the last bit or two for 0 ≤ x ≤ π/4. */
const cosine = (x: number): number => {
  const s = x * x;
  let sum = 1;
  for (let k = 18; k > 0; k -= 2) sum = 1 - (sum * s) / (k * (k - 1));
  return sum;
};
const sine = (x: number): number => {
  const s = x * x;
  let sum = 1;
  for (let k = 19; k > 1; k -= 2) sum = 1 - (sum * s) / (k * (k - 1));
  return x * sum;
};

/**
 * Cosine of 2π·k/size for 0 ≤ k < size, by octants.
 * Only + − × ÷: the language leaves the last bits of Math.cos to the engine, and a feature must not differ between the
 * machine that trains and the one that decides.
 */
export const cosineTable = (size: number): Float64Array =>
  Float64Array.from({ length: size }, (_, k) => {
    const folded = 2 * k > size ? size - k : k;
    const left = 4 * folded > size;
    const quarter = left ? size / 2 - folded : folded;
    const angle = (2 * Math.PI * quarter) / size;
    const value = 8 * quarter <= size ? cosine(angle) : sine((2 * Math.PI * (size / 4 - quarter)) / size);
    return left ? -value : value;
  });

interface Plan {
  readonly size: number;
  readonly fft: FFT;
  readonly hann: Float64Array;
}
const plans = new Map<number, Plan>();

/** The plan of the largest power of two that is not above `length`. */
const planFor = (length: number): Plan => {
  let size = 2;
  while (size * 2 <= length) size *= 2;
  const known = plans.get(size);
  if (known !== undefined) return known;
  const fft = new FFT(size);
  const cos = cosineTable(size);
  for (let k = 0; k < size; k++) {
    fft.table[2 * k] = cos[k] as number;
    // sin(a) = cos(a − π/2); the table holds the negative.
    fft.table[2 * k + 1] = -(cos[(k + size - size / 4) % size] as number);
  }
  const plan = { size, fft, hann: cos.map((c) => 0.5 - 0.5 * c) };
  plans.set(size, plan);
  return plan;
};

/** Several features ask for the transform of the same samples. */
const perSamples = <T>(compute: (samples: Float64Array) => T): ((samples: Float64Array) => T) => {
  const known = new WeakMap<Float64Array, T>();
  return (samples) => {
    const value = known.get(samples) ?? compute(samples);
    known.set(samples, value as T & {});
    return value;
  };
};

/** A copy of the newest `size` samples without their mean. */
const withoutMean = (samples: Float64Array, size: number): number[] => {
  const newest = samples.subarray(samples.length - size);
  let sum = 0;
  for (const v of newest) sum += v;
  const mean = sum / size;
  return Array.from(newest, (v) => v - mean);
};

/**
 * Hann-windowed one-sided power spectrum of the newest 2^k samples (at least 4); entry `i` belongs to `i · rate / size`.
 * The mean is taken off first, else the window would spread a constant offset into bin 1.
 */
export const powerSpectrum = perSamples((samples): { readonly power: Float64Array; readonly size: number } => {
  const { size, fft, hann } = planFor(samples.length);
  const input = withoutMean(samples, size).map((v, i) => v * (hann[i] as number));
  const out = fft.createComplexArray();
  fft.realTransform(out, input);
  const power = new Float64Array(size / 2 + 1);
  for (let i = 0; i <= size / 2; i++) {
    const re = out[2 * i] as number;
    const im = out[2 * i + 1] as number;
    power[i] = re * re + im * im;
  }
  return { power, size };
});

/**
 * Envelope of the newest 2^k samples (at least 4): absolute value of the analytic signal, by FFT (Marple 1999).
 * The mean is taken off first, else it would beat with every oscillation.
 */
export const envelope = perSamples((samples): Float64Array => {
  const { size, fft } = planFor(samples.length);
  const spectrum = fft.createComplexArray();
  fft.transform(spectrum, fft.toComplexArray(withoutMean(samples, size), null));
  for (let i = 2; i < size; i++) spectrum[i] = 2 * (spectrum[i] as number);
  spectrum.fill(0, size + 2);
  const analytic = fft.createComplexArray();
  fft.inverseTransform(analytic, spectrum);
  const out = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const re = analytic[2 * i] as number;
    const im = analytic[2 * i + 1] as number;
    out[i] = Math.sqrt(re * re + im * im);
  }
  return out;
});

/**
 * Amplitude of an oscillation near `hz`: the root of the power within `halfWidth` bins, scaled so that a sine of
 * amplitude 1 on a bin gives √1.5 (the Hann window spreads it over three bins). The mean never counts.
 * @returns 0 where the band lies outside the spectrum.
 */
export const amplitudeAround = (samples: Float64Array, rateHz: number, hz: number, halfWidth: number): number => {
  const { power, size } = powerSpectrum(samples);
  const centre = Math.round((hz * size) / rateHz);
  let sum = 0;
  for (let i = Math.max(1, centre - halfWidth); i <= Math.min(size / 2, centre + halfWidth); i++)
    sum += power[i] as number;
  return (4 * Math.sqrt(sum)) / size;
};
