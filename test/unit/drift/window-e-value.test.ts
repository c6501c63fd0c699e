import fc from 'fast-check';
import { eValueOf, WindowEValue } from '../../../core/drift/tolerance/window-e-value.ts';
import { seededRandom } from '../../../core/policy/bootstrap.ts';

const features = ['a', 'b', 'c', 'd'];
const ps = (...values: number[]) => new Map(values.map((p, i) => [features[i] as string, p]));

describe('an e-value calibrated from a p-value', () => {
  it('is (1 − p + p ln p) / (p ln² p), and a half where p is 1', () => {
    expect(eValueOf(0.01)).toBeCloseTo((1 - 0.01 + 0.01 * Math.log(0.01)) / (0.01 * Math.log(0.01) ** 2), 12);
    expect(eValueOf(1)).toBe(0.5);
    expect(eValueOf(Math.exp(-0.00999))).toBeCloseTo(eValueOf(Math.exp(-0.01001)), 5);
  });
  it('has a mean of 1 over p-values that are spread evenly', () => {
    // The part below 1e-9 is 1 / −ln 1e-9, as the antiderivative of the mixture, −(1 − p) / ln p, says.
    const [low, steps] = [Math.log(1e-9), 200_000];
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const p = Math.exp((low * (i + 0.5)) / steps);
      sum += (eValueOf(p) * p * -low) / steps;
    }
    expect(sum + 1 / -low).toBeCloseTo(1, 6);
  });
  it('never grows with p, and is finite and above 0 for any', () => {
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(p, p, (a, b) => {
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        expect(eValueOf(small)).toBeGreaterThanOrEqual(eValueOf(large) * (1 - 1e-9));
        expect(Number.isFinite(eValueOf(a))).toBe(true);
        expect(eValueOf(a)).toBeGreaterThanOrEqual(0.5);
      }),
    );
  });
  it('refuses what is no probability', () => {
    expect(() => eValueOf(1.1)).toThrow(/p-value in \[0, 1\], got 1.1/);
    expect(() => eValueOf(Number.NaN)).toThrow(/got NaN/);
  });
});

describe('the window e-value', () => {
  it('alarms for nothing no more often than once in A windows when features are tested again each window', () => {
    const random = seededRandom(7);
    let detector = WindowEValue.start(features);
    let alarms = 0;
    const windows = 40_000;
    for (let w = 0; w < windows; w++) {
      // Two of the features say the same: nothing is assumed of dependence.
      const shared = random();
      detector = detector.update(ps(shared, shared, random(), random()));
      if (detector.value >= 200) {
        alarms += 1;
        detector = detector.reset();
      }
    }
    expect(alarms).toBeGreaterThan(0);
    expect(alarms).toBeLessThanOrEqual(windows / 200);
  });
  it('reaches a limit with the same window where it is held there, and is soon down again', () => {
    const p = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(1e-12, 1e-4, 0.01, 1));
    const window = fc.tuple(p, p, p, p).map((four) => ps(...four));
    const LIMIT = 10_000;
    fc.assert(
      fc.property(fc.array(window, { maxLength: 40 }), (windows) => {
        let [free, held] = [WindowEValue.start(features), WindowEValue.start(features)];
        let isAlarm = false;
        for (const w of windows) {
          free = free.update(w);
          const grown = held.update(w);
          if (!isAlarm) expect(grown.value).toBe(free.value);
          isAlarm ||= free.value >= LIMIT;
          held = grown.atMost(LIMIT);
          expect(held.value).toBeLessThanOrEqual(LIMIT * (1 + 1e-9));
        }
        for (let calm = 0; calm < 7; calm++) held = held.update(ps(1, 1, 1, 1));
        expect(held.value).toBeLessThan(Math.sqrt(LIMIT));
      }),
    );
  });
  it('finds a feature whose small p-values would not each be an alarm', () => {
    let detector = WindowEValue.start(features);
    for (let w = 0; w < 8; w++) detector = detector.update(ps(0.6, 0.02, 0.9, 1));
    expect(detector.value).toBeGreaterThan(1000);
  });
  it('comes down again when windows are as in training', () => {
    let detector = WindowEValue.start(features).update(ps(0, 0, 0, 0));
    expect(detector.value).toBe(1e12);
    for (let w = 0; w < 60; w++) detector = detector.update(ps(1, 1, 1, 1));
    expect(detector.value).toBeLessThan(2);
  });
  it('goes on from its JSON to the same bits, and after a reset as from the start', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (values) => {
        let one = WindowEValue.start(features);
        let other = one;
        for (const p of values) {
          one = one.update(ps(p, 0.5));
          other = WindowEValue.restore(JSON.parse(JSON.stringify(other))).update(ps(p, 0.5));
        }
        expect(JSON.stringify(other)).toBe(JSON.stringify(one));
        expect(JSON.stringify(one.reset())).toBe(JSON.stringify(WindowEValue.start(features)));
      }),
    );
  });
  it('is nothing before there is evidence, and leaves features without a p-value as they are', () => {
    const start = WindowEValue.start(features);
    expect(start.value).toBe(0);
    expect(start.update(new Map()).value).toBe(0);
  });
  it('refuses no features, one it does not know, and a state that is none', () => {
    expect(() => WindowEValue.start([])).toThrow(/at least one feature/);
    expect(() => WindowEValue.start(['a']).update(new Map([['x', 0.5]]))).toThrow(/x is none of its features \(a\)/);
    expect(() => WindowEValue.restore({ a: -1 })).toThrow(/got \{"a":-1\}/);
    expect(() => WindowEValue.restore(null)).toThrow(/got null/);
  });
});
