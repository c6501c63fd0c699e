import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { usableSamples, usableValue } from '#core/features/engine/decode.ts';
import { bad, encodeSamples, good, SIGNALS, wave } from './a-frame.ts';

const named = (name: string) => SIGNALS.find((s) => s.name === name) as SignalDefinition;
const level = named('level');
const waveform = named('wave');
const anyLength: SignalDefinition = { name: 'wave', unit: 'm/s2', kind: 'waveform', range: [-1e31, 1e31] };

describe('a scalar', () => {
  it.each([
    ['good', good(5)],
    ['uncertain', { value: 5, quality: 'UNCERTAIN' as const }],
  ])('is usable when it is %s', (_, value) => {
    expect(usableValue(value, level)).toBe(5);
  });

  it.each([
    ['absent', undefined],
    ['BAD', bad],
    ['BAD with a value', { value: 5, quality: 'BAD' as const }],
    ['above its range', good(1001)],
    ['below its range', good(-1001)],
    ['not a number', good(Number.NaN)],
    ['infinite', good(Number.POSITIVE_INFINITY)],
    ['a waveform where a scalar belongs', wave([1, 2])],
  ])('is not when it is %s', (_, value) => {
    expect(usableValue(value, level)).toBeNaN();
  });
});

describe('a waveform', () => {
  it('is its float32 values, little-endian', () => {
    expect([...(usableSamples(wave([1.5, -2, 1e30, 0]), anyLength) ?? [])]).toEqual([1.5, -2, Math.fround(1e30), 0]);
  });

  it.each([
    ['absent', undefined],
    ['BAD', bad],
    ['of fewer samples than declared', wave([1, 2, 3, 4])],
    ['cut in the middle of a sample', { samples: btoa('abcde'), quality: 'GOOD' as const }],
    ['out of range in one sample', wave([...new Array(255).fill(0), 1001])],
    ['not a number in one sample', wave([...new Array(255).fill(0), Number.NaN])],
    ['a scalar', good(1)],
  ])('is not usable when it is %s', (_, value) => {
    expect(usableSamples(value, waveform)).toBeUndefined();
  });

  it('is not usable with fewer samples than the smallest transform needs', () => {
    expect(usableSamples(wave([1, 2, 3]), anyLength)).toBeUndefined();
  });

  it('is not usable when its bytes are no whole samples, whatever its length', () => {
    const cut = Buffer.from(encodeSamples([1, 2, 3, 4, 5]), 'base64')
      .subarray(0, 18)
      .toString('base64');
    expect(usableSamples({ samples: cut, quality: 'GOOD' }, anyLength)).toBeUndefined();
  });
});
