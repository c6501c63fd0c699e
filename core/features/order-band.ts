import { numberParam, type WaveformFeature } from './feature.ts';
import { amplitudeAround } from './spectrum.ts';

export const orderBand: WaveformFeature = {
  name: 'order-band',
  kind: 'waveform',
  says: 'Amplitude around `order` times the shaft frequency; the shaft speed, in 1/min, is the scalar signal `speed`.',
  params: { order: 'number', speed: 'scalar-signal' },
  compute: ({ samples, signal, params, scalar }) => {
    const speed = scalar(String(params['speed']));
    if (speed === undefined || speed <= 0 || signal.sampleRateHz === undefined) return undefined;
    return amplitudeAround(samples, signal.sampleRateHz, numberParam(params, 'order', 'order-band') * (speed / 60), 1);
  },
};
