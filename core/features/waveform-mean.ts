import type { WaveformFeature } from './engine/feature.ts';
import { moments } from './kernel/analysis.ts';

export const waveformMean: WaveformFeature = {
  name: 'waveform-mean',
  kind: 'waveform',
  version: 1,
  says: 'Arithmetic mean of a waveform: the offset of the sensor, or what it measures beside the oscillation.',
  missing: 'A waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ samples }) => moments(samples).mean,
};
