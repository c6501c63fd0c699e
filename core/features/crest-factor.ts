import type { WaveformFeature } from './engine/feature.ts';
import { moments } from './kernel/analysis.ts';

export const crestFactor: WaveformFeature = {
  name: 'crest-factor',
  kind: 'waveform',
  version: 2,
  says: 'Largest absolute value of a waveform over its root mean square.',
  missing:
    'None of a waveform of zeros; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: () => '1',
  compute: ({ samples }) => {
    const { meanSquare, low, high } = moments(samples);
    return meanSquare === 0 ? undefined : Math.max(high, -low) / Math.sqrt(meanSquare);
  },
};
