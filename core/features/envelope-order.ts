import { numberParam, type WaveformFeature } from './engine/feature.ts';
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
  compute: ({ samples, signal, params, scalar }) => {
    const speed = scalar(String(params['speed']));
    if (speed === undefined || speed <= 0 || signal.sampleRateHz === undefined) return undefined;
    const hz = numberParam(params, 'order', 'envelope-order') * (speed / 60);
    return amplitudeAround(envelopeSpectrum(samples), signal.sampleRateHz, hz, 1);
  },
};
