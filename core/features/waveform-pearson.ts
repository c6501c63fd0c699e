import type { WaveformFeature } from './engine/feature.ts';
import { correlationOf, pairSums } from './engine/pairs.ts';

export const waveformPearson: WaveformFeature = {
  name: 'waveform-pearson',
  kind: 'waveform',
  version: 1,
  says: "Pearson's correlation of the samples of two waveforms, −1 to 1: two sensors of one movement that part are a fault of one.",
  missing:
    'None where the other waveform is not good or of another length, or one of the two is constant; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: { with: 'waveform-signal' },
  example: { with: 'wave2' },
  unit: () => '1',
  compute: ({ samples, params, waveform }) => {
    const other = waveform(String(params['with']));
    if (other?.length !== samples.length) return undefined;
    const sums = pairSums(samples, other);
    return sums && correlationOf(sums);
  },
};
