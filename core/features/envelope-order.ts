import { orderOf } from './engine/band.ts';
import type { WaveformFeature } from './engine/feature.ts';
import { envelopeSpectrum } from './kernel/analysis.ts';
import { amplitudeAround } from './kernel/spectrum.ts';

export const envelopeOrder: WaveformFeature = {
  name: 'envelope-order',
  kind: 'waveform',
  version: 2,
  says: 'Amplitude of the envelope around `order` times the shaft frequency: the repetition of a bearing defect (Randall & Antoni 2011). Shaft speed is the scalar signal `speed`.',
  missing:
    'None where the speed is not good or 0; a waveform that is not good is left out of the mean over frames; missing when none is left.',
  params: { order: 'number', speed: 'scalar-signal' },
  paramUnits: { speed: '1/min' },
  example: { order: 2, speed: 'speed' },
  unit: (signal) => signal,
  compute: (input) => {
    const order = orderOf(input, 'envelope-order');
    return order && amplitudeAround(envelopeSpectrum(input.samples), order.rateHz, order.hz, 1);
  },
};
