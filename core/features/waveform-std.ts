import type { WaveformFeature } from './engine/feature.ts';
import { centralMoments } from './kernel/analysis.ts';

export const waveformStd: WaveformFeature = {
  name: 'waveform-std',
  kind: 'waveform',
  version: 1,
  says: 'Population standard deviation of a waveform: its root mean square without the offset.',
  missing: 'A waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ samples }) => Math.sqrt(centralMoments(samples).second),
};
