import type { WaveformFeature } from './engine/feature.ts';
import { moments } from './kernel/analysis.ts';

export const peak: WaveformFeature = {
  name: 'peak',
  kind: 'waveform',
  version: 1,
  says: 'Largest absolute value of a waveform (ISO 13373-2).',
  missing: 'A waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ samples }) => {
    const { low, high } = moments(samples);
    return Math.max(high, -low);
  },
};
