import FFT from 'fft.js';

const plans = new Map<number, FFT>();

const planOf = (size: number): FFT => {
  const plan = plans.get(size) ?? new FFT(size);
  plans.set(size, plan);
  return plan;
};

/** Largest power of two that is not above `length`. */
const sizeFor = (length: number): number => 2 ** Math.floor(Math.log2(length));

/** Hann-windowed one-sided power spectrum of the newest 2^k samples; entry `i` belongs to `i · rate / size`. */
export const powerSpectrum = (samples: Float64Array): { readonly power: Float64Array; readonly size: number } => {
  const size = sizeFor(samples.length);
  const plan = planOf(size);
  const input = new Array<number>(size);
  const offset = samples.length - size;
  for (let i = 0; i < size; i++)
    input[i] = (samples[offset + i] as number) * (0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const out = plan.createComplexArray();
  plan.realTransform(out, input);
  const power = new Float64Array(size / 2 + 1);
  for (let i = 0; i <= size / 2; i++) power[i] = out[2 * i] ** 2 + out[2 * i + 1] ** 2;
  return { power, size };
};

/** Envelope of a signal: absolute value of its analytic signal (Hilbert transform by FFT; Marple 1999). */
export const envelope = (samples: Float64Array): Float64Array => {
  const size = sizeFor(samples.length);
  const plan = planOf(size);
  const spectrum = plan.createComplexArray();
  plan.transform(spectrum, plan.toComplexArray([...samples.subarray(samples.length - size)], null));
  for (let i = 1; i < size / 2; i++) {
    spectrum[2 * i] *= 2;
    spectrum[2 * i + 1] *= 2;
  }
  for (let i = size / 2 + 1; i < size; i++) {
    spectrum[2 * i] = 0;
    spectrum[2 * i + 1] = 0;
  }
  const analytic = plan.createComplexArray();
  plan.inverseTransform(analytic, spectrum);
  const out = new Float64Array(size);
  for (let i = 0; i < size; i++) out[i] = Math.sqrt(analytic[2 * i] ** 2 + analytic[2 * i + 1] ** 2);
  return out;
};

/** Root of the power within `halfWidth` bins around `hz`, as a share of what the transform makes of a unit sine. */
export const amplitudeAround = (samples: Float64Array, rateHz: number, hz: number, halfWidth: number): number => {
  const { power, size } = powerSpectrum(samples);
  const centre = Math.round((hz * size) / rateHz);
  let sum = 0;
  for (let i = Math.max(1, centre - halfWidth); i <= Math.min(size / 2, centre + halfWidth); i++)
    sum += power[i] as number;
  return (4 * Math.sqrt(sum)) / size;
};
