import { envelopeSpectrum, powerSpectrum } from '#core/features/kernel/analysis.ts';
import { amplitudeAround, rmsBetween } from '#core/features/kernel/spectrum.ts';

const RATE = 5120;
const BIN = RATE / 256;
const sine = (amplitude: number, bin: number, offset = 0) =>
  Float64Array.from({ length: 256 }, (_, i) => offset + amplitude * Math.sin((2 * Math.PI * bin * i) / 256));
const amplitude = (samples: Float64Array, hz: number) => amplitudeAround(powerSpectrum(samples), RATE, hz, 1);
const within = (low: number, high: number) => ({ low, high, rateHz: RATE });
const band = (samples: Float64Array, low: number, high: number) =>
  rmsBetween(powerSpectrum(samples), within(low, high));

describe('the amplitude of an oscillation', () => {
  it('is √1.5 of a sine on a bin', () => {
    expect(amplitude(sine(2, 20), 20 * BIN)).toBeCloseTo(2 * Math.sqrt(1.5), 9);
  });

  it.each([1, 2, 3])('does not see an offset of the sensor, bin %i', (bin) => {
    expect(amplitude(sine(0, 1, 9.81), bin * BIN)).toBeCloseTo(0, 9);
    const without = amplitude(sine(2, bin), bin * BIN);
    expect(amplitude(sine(2, bin, 9.81), bin * BIN)).toBeCloseTo(without, 9);
  });

  it('is 0 outside the spectrum', () => {
    expect(amplitude(sine(2, 20), RATE)).toBe(0);
  });
});

describe('the root mean square of a band', () => {
  it('is that of the sine which lies in it', () => {
    expect(band(sine(2, 20), 15 * BIN, 25 * BIN)).toBeCloseTo(Math.SQRT2, 9);
    expect(band(sine(2, 20), 30 * BIN, 40 * BIN)).toBeCloseTo(0, 9);
  });

  it('adds up over neighbours, as squares, each bin in one of them', () => {
    const samples = Float64Array.from({ length: 256 }, (_, i) => ((i * i * 7) % 97) - 48);
    const whole = band(samples, 0, RATE);
    const parts = [0, 3.5, 20, 77, 128.5].map((b) => b * BIN);
    const squares = parts.slice(1).map((high, i) => band(samples, parts[i] as number, high) ** 2);
    expect(Math.sqrt(squares.reduce((a, b) => a + b))).toBeCloseTo(whole, 9);
  });

  it('of the whole spectrum is that of the samples under the window, the last bin counted once', () => {
    const samples = Float64Array.from({ length: 256 }, (_, i) => (i % 2 === 0 ? 3 : -3));
    expect(band(samples, 120 * BIN, RATE)).toBeCloseTo(3, 9);
  });

  it('is 0 outside the spectrum, and of an empty band', () => {
    expect(band(sine(2, 20), RATE, 2 * RATE)).toBe(0);
    expect(band(sine(2, 20), 20.2 * BIN, 20.8 * BIN)).toBe(0);
  });
});

describe('the spectrum of the envelope', () => {
  it('shows how often a resonance is hit, not the resonance', () => {
    const hit = Float64Array.from({ length: 256 }, (_, i) => {
      const modulation = 1 + 0.5 * Math.cos((2 * Math.PI * 8 * i) / 256);
      return modulation * Math.cos((2 * Math.PI * 60 * i) / 256);
    });
    expect(rmsBetween(envelopeSpectrum(hit), within(6 * BIN, 11 * BIN))).toBeCloseTo(0.5 / Math.SQRT2, 9);
    expect(rmsBetween(envelopeSpectrum(hit), within(40 * BIN, 80 * BIN))).toBeCloseTo(0, 9);
    expect(band(hit, 6 * BIN, 11 * BIN)).toBeCloseTo(0, 9);
  });
});
