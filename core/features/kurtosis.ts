import type { WaveformFeature } from './engine/feature.ts';
import { centralMoments, moments } from './kernel/analysis.ts';

export const kurtosis: WaveformFeature = {
  name: 'kurtosis',
  kind: 'waveform',
  version: 2,
  says: 'Fourth standardised moment of a waveform (3 for Gaussian noise): impacts of a bearing raise it (Dyer & Stewart 1978).',
  missing:
    'None of a constant waveform; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: () => '1',
  compute: ({ samples }) => {
    const { low, high } = moments(samples);
    // A dead sensor gives a constant: no shape to speak of.
    if (low === high) return undefined;
    const { second, fourth } = centralMoments(samples);
    return fourth / (second * second);
  },
};
