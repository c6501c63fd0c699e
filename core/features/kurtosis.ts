import type { WaveformFeature } from './feature.ts';

export const kurtosis: WaveformFeature = {
  name: 'kurtosis',
  kind: 'waveform',
  says: 'Fourth standardised moment of a waveform (3 for Gaussian noise): impacts of a bearing raise it (Dyer & Stewart 1978).',
  params: [],
  compute: ({ samples }) => {
    let sum = 0;
    for (const v of samples) sum += v;
    const mean = sum / samples.length;
    let second = 0;
    let fourth = 0;
    for (const v of samples) {
      const d = (v - mean) * (v - mean);
      second += d;
      fourth += d * d;
    }
    // A dead sensor gives a constant: no shape to speak of.
    return second === 0 ? undefined : (samples.length * fourth) / (second * second);
  },
};
