import type { WaveformFeature } from './feature.ts';
import { rms } from './rms.ts';

export const crestFactor: WaveformFeature = {
  name: 'crest-factor',
  kind: 'waveform',
  says: 'Largest absolute value of a waveform over its root mean square.',
  params: {},
  compute: (input) => {
    const level = rms.compute(input);
    if (level === undefined || level === 0) return undefined;
    let peak = 0;
    for (const v of input.samples) peak = Math.max(peak, Math.abs(v));
    return peak / level;
  },
};
