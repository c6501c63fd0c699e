import type { WaveformFeature } from './engine/feature.ts';
import { rms } from './rms.ts';

export const crestFactor: WaveformFeature = {
  name: 'crest-factor',
  kind: 'waveform',
  version: 1,
  says: 'Largest absolute value of a waveform over its root mean square.',
  missing:
    'None of a waveform of zeros; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: () => '1',
  compute: (input) => {
    const level = rms.compute(input);
    if (level === undefined || level === 0) return undefined;
    let peak = 0;
    for (const v of input.samples) peak = Math.max(peak, Math.abs(v));
    return peak / level;
  },
};
