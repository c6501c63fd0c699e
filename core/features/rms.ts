import type { WaveformFeature } from './feature.ts';

export const rms: WaveformFeature = {
  name: 'rms',
  kind: 'waveform',
  says: 'Root mean square of a waveform (ISO 20816-1 uses it for severity).',
  params: {},
  compute: ({ samples }) => {
    let squares = 0;
    for (const v of samples) squares += v * v;
    return Math.sqrt(squares / samples.length);
  },
};
