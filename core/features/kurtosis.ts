import type { WaveformFeature } from './engine/feature.ts';

export const kurtosis: WaveformFeature = {
  name: 'kurtosis',
  kind: 'waveform',
  version: 1,
  says: 'Fourth standardised moment of a waveform (3 for Gaussian noise): impacts of a bearing raise it (Dyer & Stewart 1978).',
  missing:
    'None of a constant waveform; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: () => '1',
  compute: ({ samples }) => {
    // A dead sensor gives a constant: no shape to speak of.
    if (samples.every((v) => v === samples[0])) return undefined;
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
    return (samples.length * fourth) / (second * second);
  },
};
