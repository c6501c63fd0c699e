import { bandOf, bandProblem } from './engine/band.ts';
import type { WaveformFeature } from './engine/feature.ts';
import { powerSpectrum } from './kernel/analysis.ts';
import { integralRmsBetween } from './kernel/spectrum.ts';

export const velocityRms: WaveformFeature = {
  name: 'velocity-rms',
  kind: 'waveform',
  version: 1,
  says: 'Root mean square in `low` ≤ f < `high` of the integral of a waveform over time: vibration velocity from acceleration, each bin divided by 2πf (ISO 20816-3 takes 10 to 1000 Hz). In Hz, or in orders as `band-rms`.',
  missing:
    'None where the shaft speed it is told in is not good or 0; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: { low: 'number', high: 'number', speed: 'optional-scalar-signal' },
  example: { low: 100, high: 1000 },
  paramUnits: { speed: '1/min' },
  refuse: bandProblem,
  unit: (signal) => `(${signal}).s`,
  compute: (input) => {
    const band = bandOf(input, 'velocity-rms');
    return band && integralRmsBetween(powerSpectrum(input.samples), band);
  },
};
