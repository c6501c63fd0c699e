import { bandOf, bandProblem } from './engine/band.ts';
import type { WaveformFeature } from './engine/feature.ts';
import { envelopeSpectrum } from './kernel/analysis.ts';
import { rmsBetween } from './kernel/spectrum.ts';

export const envelopeBandRms: WaveformFeature = {
  name: 'envelope-band-rms',
  kind: 'waveform',
  version: 1,
  says: 'Root mean square of what lies in `low` ≤ f < `high` of the envelope: how strongly a resonance is hit at such rates (Randall & Antoni 2011). In Hz, or in orders as `band-rms`.',
  missing:
    'None where the shaft speed it is told in is not good or 0; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: { low: 'number', high: 'number', speed: 'optional-scalar-signal' },
  paramUnits: { speed: '1/min' },
  example: { low: 100, high: 1000 },
  refuse: bandProblem,
  unit: (signal) => signal,
  compute: (input) => {
    const band = bandOf(input, 'envelope-band-rms');
    return band && rmsBetween(envelopeSpectrum(input.samples), band);
  },
};
