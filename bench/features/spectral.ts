import { centralMoments, envelopeSpectrum, powerSpectrum } from '#core/features/kernel/analysis.ts';
import { startPeer } from '../peer.ts';
import type { GroupOptions } from './group.ts';
import { define } from './inputs.ts';
import { contest, rate } from './measure.ts';
import { LENGTH, RATE_HZ, throughEngine, waveformWindows } from './waveforms.ts';

const BANDS = 8;
const edges = Array.from({ length: BANDS + 1 }, (_, i) => (i * RATE_HZ) / 2 / BANDS);
const bands = (feature: string) =>
  edges
    .slice(1)
    .map((high, i) => define(feature, 'vibration', 1, { low: edges[i] as number, high }, `${feature}_${i}`));
const SET = [
  ...bands('band-rms'),
  ...bands('envelope-band-rms'),
  ...['rms', 'kurtosis', 'crest-factor'].map((f) => define(f, 'vibration', 1)),
];

/**
 * Largest difference of any feature, as part of the window's energy: bands and rms as squares over the mean square,
 * kurtosis and crest factor over themselves.
 */
const disagreement = (own: readonly (readonly number[])[], other: readonly (readonly number[])[]): number => {
  const rms = SET.findIndex((f) => f.feature === 'rms');
  let worst = 0;
  own.forEach((row, w) => {
    const theirs = other[w] as readonly number[];
    row.forEach((value, i) => {
      const reference = theirs[i] as number;
      const part =
        i <= rms
          ? Math.abs(value ** 2 - reference ** 2) / (theirs[rms] as number) ** 2
          : Math.abs(value / reference - 1);
      worst = Math.max(worst, part);
    });
  });
  return worst;
};

/** The spectral set of windows of 2,048 samples, from frames as they are stored, against scipy. */
export const spectral = async ({ report }: GroupOptions): Promise<void> => {
  const { from, arrays, frames, file } = waveformWindows();
  const engine = throughEngine(SET, frames);
  const peer = startPeer('features', 'features/peers/spectral.py', [
    file,
    String(LENGTH),
    String(RATE_HZ),
    String(BANDS),
  ]);
  try {
    const { batch } = await peer.ask<{ batch: Record<string, number> }>({ prepare: true });
    report.note(`${from}; best batch of scipy ${batch['scipy, vectorised']}, by hand ${batch['scipy, by hand']}`);
    const other = await peer.ask<{ features: number[][] }>({ features: true });
    report.figure({
      name: 'largest difference from scipy, of the energy',
      value: disagreement(engine(), other.features),
      unit: '',
      goal: 1e-9,
    });
    await contest({
      report,
      unit: 'windows/s',
      peer,
      own: {
        'feature engine, frames to vectors': () => rate(frames.length, engine),
        'kernel alone': () =>
          rate(arrays.length, () => {
            for (const samples of arrays) {
              centralMoments(samples);
              powerSpectrum(samples);
              envelopeSpectrum(samples);
            }
          }),
      },
      peers: { 'scipy, vectorised': 1.2, 'scipy, window by window': 8, 'scipy, by hand': null },
    });
  } finally {
    peer.close();
  }
};
