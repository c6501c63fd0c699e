import type { Band } from '../engine/band.ts';
import { segmentTransform } from './kernel.ts';
import { binsOf } from './spectrum.ts';

/** Bins 0…size/2 of a transform, then those under a Hann window: Y[k] = X[k]/2 − (X[k−1] + X[k+1])/4. */
const makeBins = (size: number) => {
  const re = new Float64Array(size / 2 + 1);
  const im = new Float64Array(size / 2 + 1);
  return {
    read: (samples: Float64Array, from: number): void => segmentTransform(samples, from, size, re, im),
    re: (k: number): number =>
      // Behind the last bin the transform of real samples is its own mirror.
      0.5 * (re[k] as number) - 0.25 * ((re[k - 1] as number) + (re[k < size / 2 ? k + 1 : k - 1] as number)),
    im: (k: number): number =>
      k < size / 2 ? 0.5 * (im[k] as number) - 0.25 * ((im[k - 1] as number) + (im[k + 1] as number)) : 0,
  };
};

/**
 * Mean magnitude-squared coherence of two waveforms over the bins of a band: |Sxy|² / (Sxx · Syy), spectra averaged over
 * segments that overlap by half, Hann window, each without its mean (Welch 1967).
 * @param size samples of a segment, a power of two. Both waveforms have the same length.
 * @returns undefined with fewer than two segments (of one the coherence is always 1), without a bin in the band, or where
 *   a bin has no power.
 */
export const coherenceBetween = (x: Float64Array, y: Float64Array, size: number, band: Band): number | undefined => {
  const [first, end] = binsOf(size, band);
  const segments = Math.floor((2 * (x.length - size)) / size) + 1;
  if (segments < 2 || first >= end) return undefined;
  const ofX = makeBins(size);
  const ofY = makeBins(size);
  const room = (): Float64Array => new Float64Array(end - first);
  const spectra = { xx: room(), yy: room(), re: room(), im: room() };
  for (let s = 0; s < segments; s++) {
    ofX.read(x, (s * size) / 2);
    ofY.read(y, (s * size) / 2);
    for (let k = first; k < end; k++) {
      const [xr, xi, yr, yi] = [ofX.re(k), ofX.im(k), ofY.re(k), ofY.im(k)];
      const at = k - first;
      spectra.xx[at] = (spectra.xx[at] as number) + xr * xr + xi * xi;
      spectra.yy[at] = (spectra.yy[at] as number) + yr * yr + yi * yi;
      spectra.re[at] = (spectra.re[at] as number) + xr * yr + xi * yi;
      spectra.im[at] = (spectra.im[at] as number) + xr * yi - xi * yr;
    }
  }
  let sum = 0;
  for (let at = 0; at < end - first; at++) {
    const power = (spectra.xx[at] as number) * (spectra.yy[at] as number);
    if (power === 0) return undefined;
    sum += ((spectra.re[at] as number) ** 2 + (spectra.im[at] as number) ** 2) / power;
  }
  // Rounding alone may bring it above.
  return Math.min(1, sum / (end - first));
};
