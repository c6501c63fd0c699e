import fc from 'fast-check';
import {
  centralMoments,
  decodeSamples,
  envelopeSpectrum,
  moments,
  powerSpectrum,
} from '#core/features/kernel/analysis.ts';
import { ranked } from '#core/features/kernel/kernel.ts';
import { encodeSamples } from './a-frame.ts';

/** Repeatable numbers in −1…1. */
const noise = (length: number, seed = 1) => {
  let state = seed;
  return Float64Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
};

/** Transform by its definition, of the samples without their mean; bins 0…n/2. */
const definition = (samples: Float64Array, window: (i: number) => number) => {
  const n = samples.length;
  const mean = samples.reduce((a, b) => a + b) / n;
  return Array.from({ length: n / 2 + 1 }, (_, k) => {
    let re = 0;
    let im = 0;
    for (let i = 0; i < n; i++) {
      const v = ((samples[i] as number) - mean) * window(i);
      re += v * Math.cos((2 * Math.PI * ((k * i) % n)) / n);
      im -= v * Math.sin((2 * Math.PI * ((k * i) % n)) / n);
    }
    return [re, im] as const;
  });
};
const powerOf = (samples: Float64Array) =>
  definition(samples, (i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / samples.length)).map(
    ([re, im]) => re * re + im * im,
  );
/** Envelope by its definition: from the transform, positive frequencies twice, negative ones not at all. */
const envelopeOf = (samples: Float64Array) => {
  const n = samples.length;
  const bins = definition(samples, () => 1);
  return Float64Array.from({ length: n }, (_, i) => {
    let re = 0;
    let im = 0;
    bins.forEach(([a, b], k) => {
      const weight = (k === 0 || k === n / 2 ? 1 : 2) / n;
      const c = Math.cos((2 * Math.PI * ((k * i) % n)) / n);
      const s = Math.sin((2 * Math.PI * ((k * i) % n)) / n);
      re += weight * (a * c - b * s);
      im += weight * (a * s + b * c);
    });
    return Math.hypot(re, im);
  });
};
const energy = (samples: Float64Array) => samples.length * samples.reduce((sum, v) => sum + v * v, 0);
const worst = (got: Float64Array, expected: readonly number[]) =>
  Math.max(...expected.map((v, k) => Math.abs((got[k] as number) - v)));

describe.each([4, 8, 16, 32, 64, 128, 256, 512])('transforms of %i samples', (n) => {
  const samples = noise(n).map((v, i) => 7 + v + Math.sin(i * 0.3));

  it('are those of the definition', () => {
    expect(worst(powerSpectrum(samples).power, powerOf(samples)) / energy(samples)).toBeLessThan(1e-14);
    const envelope = envelopeOf(samples);
    expect(worst(envelopeSpectrum(samples).power, powerOf(envelope)) / energy(envelope)).toBeLessThan(1e-14);
  });
});

it.each([4096, 65_536, 2 ** 18])('a sine in %i samples lies in its bin', (n) => {
  const bin = n / 4 - 3;
  const samples = Float64Array.from({ length: n }, (_, i) => Math.sin((2 * Math.PI * ((bin * i) % n)) / n));
  const { power } = powerSpectrum(samples);
  expect(power[bin]).toBeCloseTo((n / 4) ** 2, 0);
  const rest = power.map((v, k) => (Math.abs(k - bin) <= 1 ? 0 : v)).reduce((a, b) => Math.max(a, b));
  expect(rest / n ** 2).toBeLessThan(1e-20);
});

it('only the newest samples of a length that is no power of two are transformed, moments are of all', () => {
  const samples = noise(300);
  const newest = samples.slice(44);
  expect(powerSpectrum(samples)).toEqual(powerSpectrum(newest));
  expect(envelopeSpectrum(samples)).toEqual(envelopeSpectrum(newest));
  expect(moments(samples).mean).not.toBe(moments(newest).mean);
});

it('gives the same bits for the same samples, whatever was computed before, between and in which order', () => {
  const all = [4, 6, 8, 64, 100, 256, 300, 1024].map((n, i) => noise(n, i + 1));
  const ask = [
    (s: Float64Array) => [...powerSpectrum(s).power],
    (s: Float64Array) => [...envelopeSpectrum(s).power],
    (s: Float64Array) => Object.values(centralMoments(s)),
    (s: Float64Array) => Object.values(moments(s)),
    (s: Float64Array) => ranked(s, s.length >> 1),
  ] as const;
  // A copy is another waveform to the kernel: nothing of it is known.
  const alone = all.map((s) => ask.map((f) => f(s.slice())));
  const step = fc.record({ which: fc.nat(all.length - 1), what: fc.nat(ask.length - 1), fresh: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const held = all.map((s) => s.slice());
      for (const { which, what, fresh } of steps) {
        if (fresh) held[which] = (all[which] as Float64Array).slice();
        const same = ask[what]?.(held[which] as Float64Array).every((v, i) => Object.is(v, alone[which]?.[what]?.[i]));
        expect(same).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
});

it('more waveforms than are kept give the same bits when they are asked for again', () => {
  const all = Array.from({ length: 40 }, (_, i) => noise(128, i + 1));
  const first = all.map((s) => [...powerSpectrum(s).power]);
  expect(all.map((s) => [...powerSpectrum(s).power])).toEqual(first);
});

describe('moments', () => {
  it('are those of the definition, whatever the length', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 70 }), (values) => {
        const samples = Float64Array.from(values);
        const mean = values.reduce((a, b) => a + b) / values.length;
        const of = (k: number) => values.reduce((sum, v) => sum + (v - mean) ** k, 0) / values.length;
        // Sums of whole numbers are exact in any order.
        expect(moments(samples)).toEqual({
          mean,
          meanSquare: values.reduce((sum, v) => sum + v * v, 0) / values.length,
          low: Math.min(...values),
          high: Math.max(...values),
        });
        const { second, third, fourth } = centralMoments(samples);
        expect(second).toBeCloseTo(of(2), 6);
        expect(third / 1e3).toBeCloseTo(of(3) / 1e3, 4);
        expect(fourth / 1e6).toBeCloseTo(of(4) / 1e6, 4);
      }),
    );
  });
});

describe('the element of a rank', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, 1, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE, 1e-300),
    fc.integer({ min: -3, max: 3 }),
  );

  it('is that of the sorted numbers, however they are spread', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 1, maxLength: 50 }), fc.nat(), (values, n) => {
        const rank = n % values.length;
        const sorted = Float64Array.from(values).sort();
        const [element, behind] = ranked(Float64Array.from(values), rank);
        // Compared with ===: of two zeros either may come first.
        expect(element === sorted[rank]).toBe(true);
        expect(behind === sorted[Math.min(rank + 1, values.length - 1)]).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('samples of a frame', () => {
  it('are what was encoded, for any length', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { maxLength: 40 }), (values) => {
        expect([...(decodeSamples(encodeSamples(values), -Infinity, Infinity) ?? [])]).toEqual(values);
      }),
    );
  });

  it.each([
    ['below', [0, -1.5, 0]],
    ['above', [0, 0, 1.5]],
    ['no number', [Number.NaN, 0, 0]],
    ['infinite', [0, 0, 0, Number.POSITIVE_INFINITY]],
  ])('are none when one is %s', (_, values) => {
    expect(decodeSamples(encodeSamples(values), -1, 1)).toBeUndefined();
  });

  it('in the memory of others are as if alone: nothing is remembered of the others', () => {
    const ask = (s: Float64Array) => [
      ...powerSpectrum(s).power,
      ...envelopeSpectrum(s).power,
      ...Object.values(centralMoments(s)),
      ...ranked(s, 7),
    ];
    const [first, second] = [1, 2].map((seed) => encodeSamples([...noise(64, seed)])) as [string, string];
    const alone = ask(decodeSamples(second, -1, 1) as Float64Array);
    const room = decodeSamples(first, -1, 1) as Float64Array;
    expect(ask(room)).not.toEqual(alone);
    expect(decodeSamples(second, -1, 1, room)).toBe(room);
    expect(ask(room)).toEqual(alone);
    expect(decodeSamples(encodeSamples([1, 2]), -5, 5, room)).not.toBe(room);
  });

  it('are none when the text has no whole number of samples', () => {
    expect(decodeSamples(btoa('abcdef'), -1, 1)).toBeUndefined();
  });
});
