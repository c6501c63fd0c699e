import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import { checkFeatureSet } from '#core/features/engine/check-feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { aFeatureSet } from './a-feature-set.ts';
import { aFrame, bad, good, SIGNALS, wave } from './a-frame.ts';

const RATE = 5120;
const setOf = (feature: string, params: FeatureDefinition['params']) =>
  aFeatureSet({ feature, params, signal: 'wave', window: 1, version: FEATURES[feature]?.version });

/** What a feature says of one frame of 256 samples; `other` is a second waveform, BAD when absent. */
const say = (
  feature: string,
  params: FeatureDefinition['params'],
  samples: (i: number) => number,
  { other, speed = 1500 }: { other?: (i: number) => number; speed?: number } = {},
): number | undefined => {
  const of = (f: (i: number) => number) => wave(Array.from({ length: 256 }, (_, i) => f(i)));
  const window = compileFeatureSet(setOf(feature, params), SIGNALS).open();
  const wave2 = other === undefined ? bad : of(other);
  const vector = window.push(aFrame(1, { wave: of(samples), wave2, speed: good(speed) }));
  return vector.ok ? vector.x[0] : undefined;
};
const problemOf = (feature: string, params: FeatureDefinition['params']) =>
  checkFeatureSet(setOf(feature, params), SIGNALS)[0];

const tone =
  (hz: number, amplitude = 1) =>
  (i: number) =>
    amplitude * Math.sin((2 * Math.PI * hz * i) / RATE - 0.1);
const rough = (seed: number) => (i: number) => ((i * i * seed) % 97) - 48;

describe.each(['band-rms', 'envelope-band-rms', 'velocity-rms'])('the band of %s', (feature) => {
  it('may be told in orders of the shaft frequency', () => {
    const inOrders = say(feature, { low: 2, high: 20, speed: 'speed' }, rough(7), { speed: 1200 });
    expect(inOrders).toBe(say(feature, { low: 40, high: 400 }, rough(7)));
  });

  it('is none in orders of a shaft that stands', () => {
    expect(say(feature, { low: 2, high: 20, speed: 'speed' }, rough(7), { speed: 0 })).toBeUndefined();
  });

  it('is refused where it is empty or below 0', () => {
    const problem = '"low" must not be below 0 and "high" must be above it, they are';
    expect(problemOf(feature, { low: 10, high: 10 })).toContain(`${problem} 10 and 10`);
    expect(problemOf(feature, { low: -1, high: 10 })).toContain(`${problem} -1 and 10`);
  });
});

it('velocity is acceleration divided by the angular frequency', () => {
  const expected = 10 / Math.SQRT2 / (2 * Math.PI * 400);
  // The window spreads a tone over three bins, each divided by its own frequency.
  expect((say('velocity-rms', { low: 10, high: 1000 }, tone(400, 10)) as number) / expected).toBeCloseTo(1, 2);
});

it('a tone rises through its mean as often as it swings', () => {
  expect(say('zero-crossing-rate', {}, (i) => 50 + tone(400)(i))).toBe(400);
});

describe('coherence', () => {
  const params = { with: 'wave2', low: 100, high: 2000, segment: 64 };

  it('is 1 of two that are in proportion, whatever their noise', () => {
    expect(say('coherence', params, rough(7), { other: (i) => -3 * rough(7)(i) })).toBeCloseTo(1, 12);
  });

  it('is lower of two that have nothing in common', () => {
    expect(say('coherence', params, rough(7), { other: rough(11) })).toBeLessThan(0.6);
  });

  it('is none of a waveform that is not good, of one that does not move, or of a single segment', () => {
    expect(say('coherence', params, rough(7))).toBeUndefined();
    expect(say('coherence', params, rough(7), { other: () => 5 })).toBeUndefined();
    expect(say('coherence', { ...params, segment: 256 }, rough(7), { other: rough(11) })).toBeUndefined();
  });

  it('is none where no bin lies in its band', () => {
    expect(say('coherence', { ...params, low: 81, high: 82 }, rough(7), { other: rough(11) })).toBeUndefined();
  });

  it('is refused for segments that no transform has', () => {
    for (const segment of [2, 100, -64])
      expect(problemOf('coherence', { ...params, segment })).toContain(
        `"segment" must be a power of two from 4 on, it is ${segment}`,
      );
  });
});

describe('the correlation of two waveforms', () => {
  it('is 1 or −1 of two in proportion, and none where one is constant', () => {
    const params = { with: 'wave2' };
    expect(say('waveform-pearson', params, rough(7), { other: (i) => 2 * rough(7)(i) })).toBe(1);
    expect(say('waveform-pearson', params, rough(7), { other: (i) => -2 * rough(7)(i) })).toBe(-1);
    expect(say('waveform-pearson', params, rough(7), { other: () => 5 })).toBeUndefined();
    expect(say('waveform-pearson', params, rough(7))).toBeUndefined();
  });
});

it('a quantile is of 0 to 1', () => {
  expect(problemOf('waveform-quantile', { q: 1.5 })).toContain('"q" must be from 0 to 1, it is 1.5');
});
