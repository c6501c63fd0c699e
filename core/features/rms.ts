import type { WaveformFeature } from './engine/feature.ts';
import { moments } from './kernel/analysis.ts';

export const rms: WaveformFeature = {
  name: 'rms',
  kind: 'waveform',
  version: 2,
  says: 'Root mean square of a waveform (ISO 20816-1 uses it for severity).',
  missing: 'A waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ samples }) => Math.sqrt(moments(samples).meanSquare),
};
