import type { WaveformFeature } from './engine/feature.ts';
import { moments } from './kernel/analysis.ts';

export const zeroCrossingRate: WaveformFeature = {
  name: 'zero-crossing-rate',
  kind: 'waveform',
  version: 1,
  says: 'How often a waveform rises through its own mean, per second: the frequency of a tone, and of noise the centre of its power (Rice 1944).',
  missing:
    'A waveform that is not good, or has no sample rate, is left out of the mean over frames; missing when none is left.',
  params: {},
  unit: () => 'Hz',
  compute: ({ samples, signal }) => {
    if (signal.sampleRateHz === undefined) return undefined;
    const { mean } = moments(samples);
    let rises = 0;
    for (let i = 1; i < samples.length; i++)
      if ((samples[i - 1] as number) < mean && (samples[i] as number) >= mean) rises += 1;
    return (rises * signal.sampleRateHz) / samples.length;
  },
};
