import type { Frame, SignalValue } from '#core/contracts/frame.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';

export const SIGNALS: readonly SignalDefinition[] = [
  { name: 'level', unit: 'bar', kind: 'scalar', range: [-1000, 1000] },
  { name: 'inlet', unit: 'kPa', kind: 'scalar', range: [-100_000, 100_000] },
  { name: 'speed', unit: '1/min', kind: 'scalar', range: [0, 6000] },
  { name: 'wave', unit: 'm/s2', kind: 'waveform', range: [-1000, 1000], sampleRateHz: 5120, samples: 256 },
  { name: 'wave2', unit: 'mm/s', kind: 'waveform', range: [-1000, 1000], sampleRateHz: 5120, samples: 256 },
];

/** Little-endian float32 in base64, as frames carry waveforms. */
export const encodeSamples = (samples: readonly number[]): string =>
  Buffer.from(new Float32Array(samples).buffer).toString('base64');

export const good = (value: number): SignalValue => ({ value, quality: 'GOOD' });
export const wave = (samples: readonly number[]): SignalValue => ({ samples: encodeSamples(samples), quality: 'GOOD' });
export const bad: SignalValue = { quality: 'BAD', reason: 'test' };

/** A frame of machine m1; everything but the signals has a default. */
export const aFrame = (index: number, signals: Frame['signals'], over: Partial<Frame> = {}): Frame => ({
  schema: 'frame/1',
  site: 'plant-a',
  asset: 'm1',
  run: 'life-01',
  index,
  context: 'production',
  sourceTime: new Date(Date.UTC(2026, 0, 1) + index * 3_600_000).toISOString(),
  receivedTime: new Date(Date.UTC(2026, 0, 1) + index * 3_600_000).toISOString(),
  signals,
  ...over,
});
