import type { WaveformFeature } from './engine/feature.ts';
import { centralMoments, moments } from './kernel/analysis.ts';

export const skewness: WaveformFeature = {
  name: 'skewness',
  kind: 'waveform',
  version: 1,
  says: 'Third standardised moment of a waveform (0 when it is the same up and down): a rub or a stop on one side turns it.',
  missing:
    'None of a constant waveform; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: () => '1',
  compute: ({ samples }) => {
    const { low, high } = moments(samples);
    if (low === high) return undefined;
    const { second, third } = centralMoments(samples);
    return third / (second * Math.sqrt(second));
  },
};
