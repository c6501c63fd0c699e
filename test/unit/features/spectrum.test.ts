import { amplitudeAround } from '#core/features/kernel/spectrum.ts';

const RATE = 5120;
const BIN = RATE / 256;
const sine = (amplitude: number, bin: number, offset = 0) =>
  Float64Array.from({ length: 256 }, (_, i) => offset + amplitude * Math.sin((2 * Math.PI * bin * i) / 256));

describe('the amplitude of an oscillation', () => {
  it('is √1.5 of a sine on a bin', () => {
    expect(amplitudeAround(sine(2, 20), RATE, 20 * BIN, 1)).toBeCloseTo(2 * Math.sqrt(1.5), 9);
  });

  it.each([1, 2, 3])('does not see an offset of the sensor, bin %i', (bin) => {
    expect(amplitudeAround(sine(0, 1, 9.81), RATE, bin * BIN, 1)).toBeCloseTo(0, 9);
    const without = amplitudeAround(sine(2, bin), RATE, bin * BIN, 1);
    expect(amplitudeAround(sine(2, bin, 9.81), RATE, bin * BIN, 1)).toBeCloseTo(without, 9);
  });

  it('is 0 outside the spectrum', () => {
    expect(amplitudeAround(sine(2, 20), RATE, RATE, 1)).toBe(0);
  });
});
