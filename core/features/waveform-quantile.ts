import { numberParam, type WaveformFeature } from './engine/feature.ts';
import { quantileOf, quantileProblem } from './engine/quantile.ts';
import { moments } from './kernel/analysis.ts';

export const waveformQuantile: WaveformFeature = {
  name: 'waveform-quantile',
  kind: 'waveform',
  version: 1,
  says: 'Quantile `q` of the samples of a waveform: 0 the smallest, 0.5 the median, 1 the largest; between two samples on the line that joins them (type 7 of Hyndman & Fan 1996).',
  missing: 'A waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: { q: 'number' },
  example: { q: 0.95 },
  refuse: quantileProblem,
  unit: (signal) => signal,
  compute: ({ samples, params }) => {
    const q = numberParam(params, 'q', 'waveform-quantile');
    if (q === 0) return moments(samples).low;
    return q === 1 ? moments(samples).high : quantileOf(samples, q);
  },
};
