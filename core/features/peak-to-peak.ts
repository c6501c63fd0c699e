import type { WaveformFeature } from './engine/feature.ts';
import { moments } from './kernel/analysis.ts';

export const peakToPeak: WaveformFeature = {
  name: 'peak-to-peak',
  kind: 'waveform',
  version: 1,
  says: 'Largest less smallest value of a waveform: the displacement of a shaft is told so (ISO 7919-1).',
  missing: 'A waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ samples }) => {
    const { low, high } = moments(samples);
    return high - low;
  },
};
