import { bandOf, bandProblem } from './engine/band.ts';
import type { WaveformFeature } from './engine/feature.ts';
import { powerSpectrum } from './kernel/analysis.ts';
import { rmsBetween } from './kernel/spectrum.ts';

export const bandRms: WaveformFeature = {
  name: 'band-rms',
  kind: 'waveform',
  version: 1,
  says: 'Root mean square of what lies in `low` ≤ f < `high`, Hann window (ISO 20816-1: broad-band severity); in Hz, or in orders of the shaft frequency where `speed` names the scalar signal of its speed, in 1/min.',
  missing:
    'None where the shaft speed it is told in is not good or 0; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: { low: 'number', high: 'number', speed: 'optional-scalar-signal' },
  paramUnits: { speed: '1/min' },
  example: { low: 100, high: 1000 },
  refuse: bandProblem,
  unit: (signal) => signal,
  compute: (input) => {
    const band = bandOf(input, 'band-rms');
    return band && rmsBetween(powerSpectrum(input.samples), band);
  },
};
