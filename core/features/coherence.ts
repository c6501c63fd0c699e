import { bandOf, bandProblem } from './engine/band.ts';
import type { Params, WaveformFeature } from './engine/feature.ts';
import { coherenceBetween } from './kernel/cross-spectrum.ts';

const segmentOf = (params: Params): number => (typeof params['segment'] === 'number' ? params['segment'] : 256);

export const coherence: WaveformFeature = {
  name: 'coherence',
  kind: 'waveform',
  version: 1,
  says: 'Mean of the magnitude-squared coherence with the waveform `with` in `low` ≤ f < `high`, 0 to 1: how much of one is a linear answer to the other. By segments of `segment` samples (a power of two, 256 when absent) that overlap by half, Hann window, each without its mean (Welch 1967). In Hz, or in orders as `band-rms`.',
  missing:
    'None where the other waveform is not good or of another length, has fewer than two segments, a bin has no power, or the shaft speed is not good or 0; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: {
    with: 'waveform-signal',
    low: 'number',
    high: 'number',
    speed: 'optional-scalar-signal',
    segment: 'optional-number',
  },
  example: { with: 'wave2', low: 100, high: 1000, segment: 64 },
  paramUnits: { speed: '1/min' },
  refuse: (params) => {
    const size = segmentOf(params);
    const whole = Number.isInteger(Math.log2(size)) && size >= 4;
    return whole ? bandProblem(params) : `"segment" must be a power of two from 4 on, it is ${size}`;
  },
  unit: () => '1',
  compute: (input) => {
    const band = bandOf(input, 'coherence');
    const other = input.waveform(String(input.params['with']));
    if (band === undefined || other?.length !== input.samples.length) return undefined;
    return coherenceBetween(input.samples, other, segmentOf(input.params), band);
  },
};
