import fc from 'fast-check';
import { ageOfShare, type Delay, delayDistribution, delaysOf, shareKnownAt } from '#core/outcomes/delay.ts';

/**
 * Weeks in remission on 6-mercaptopurine, with those still in remission (Freireich et al. 1963), the example of Kalbfleisch &
 * Prentice 1980, ch. 1 and of most packages. Survival is the published one.
 */
const KNOWN = [6, 6, 6, 7, 10, 13, 16, 22, 23];
const WAITING = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35];
const remission: readonly Delay[] = [
  ...KNOWN.map((days) => ({ days, known: true })),
  ...WAITING.map((days) => ({ days, known: false })),
];
const PUBLISHED = [
  { days: 6, survival: 0.8571 },
  { days: 7, survival: 0.8067 },
  { days: 10, survival: 0.7529 },
  { days: 13, survival: 0.6902 },
  { days: 16, survival: 0.6275 },
  { days: 22, survival: 0.5378 },
  { days: 23, survival: 0.4482 },
];
/** From an independent computation: numpy, product over distinct times, exp(−exp(log(−log S) ± 1.959964 σ)). */
const LIMITS: Readonly<Record<number, readonly [number, number]>> = {
  6: [0.619718, 0.951552],
  7: [0.563147, 0.922809],
  10: [0.5032, 0.889362],
  13: [0.43161, 0.849066],
  16: [0.367511, 0.804912],
  22: [0.267779, 0.746791],
  23: [0.188052, 0.680143],
};

describe('the distribution of delays', () => {
  it('is the product-limit estimate of the published example, with its interval', () => {
    const steps = delayDistribution(remission);
    expect(steps.map((s) => s.days)).toEqual(PUBLISHED.map((p) => p.days));
    for (const [i, { days, survival }] of PUBLISHED.entries()) {
      const step = steps[i] as (typeof steps)[number];
      expect(1 - step.share).toBeCloseTo(survival, 4);
      const [least, most] = LIMITS[days] as readonly [number, number];
      expect([1 - step.upper, 1 - step.lower]).toEqual([expect.closeTo(least, 5), expect.closeTo(most, 5)]);
    }
  });
  it('is the share itself where nobody waits', () => {
    const steps = delayDistribution([1, 2, 2, 4].map((days) => ({ days, known: true })));
    expect(steps.map((s) => [s.days, s.share])).toEqual([
      [1, 0.25],
      [2, 0.75],
      [4, 1],
    ]);
    expect(steps.at(-1)).toMatchObject({ lower: steps.at(-2)?.lower, upper: 1 });
  });
  it('says at which age a share is known, and nothing where so many never were', () => {
    const steps = delayDistribution(remission);
    expect(ageOfShare(steps, 0.5)).toBe(23);
    expect(ageOfShare(steps, 0.9)).toBeNull();
    expect(shareKnownAt(steps, 5)).toEqual({ share: 0, lower: 0, upper: 0 });
    expect(shareKnownAt(steps, 22.9).share).toBeCloseTo(1 - 0.5378, 4);
  });
  it('knows nothing of no outcome', () => {
    expect(delayDistribution([{ days: 3, known: false }])).toEqual([]);
    expect(delayDistribution([])).toEqual([]);
  });
  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a delay of %d days', (days) => {
    expect(() => delayDistribution([{ days, known: true }])).toThrow(`expected days of 0 or more, got ${days}`);
  });
  it('rises from 0 to 1 at most, within its interval, whatever the order', () => {
    const delays = fc.array(fc.record({ days: fc.integer({ min: 0, max: 20 }), known: fc.boolean() }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        delays.chain((d) => fc.tuple(fc.constant(d), fc.shuffledSubarray(d, { minLength: d.length }))),
        ([of, shuffled]) => {
          const steps = delayDistribution(of);
          expect(delayDistribution(shuffled)).toEqual(steps);
          let before = 0;
          for (const { share, lower, upper } of steps) {
            expect(share).toBeGreaterThan(before);
            expect(0 <= lower && lower <= share && share <= upper && upper <= 1).toBe(true);
            before = share;
          }
        },
      ),
    );
  });
});

describe('delays of outcomes', () => {
  const day = (n: number): string => new Date(Date.UTC(2025, 0, 1 + n)).toISOString();
  const served = [0, 1, 2, 3].map((n) => ({ unit: `m/r${n}`, lastAt: day(n) }));

  it('count from the last decision on a unit to when its end was known, others to the newest instant', () => {
    const known = [
      { unit: 'm/r0', knownTime: day(4) },
      { unit: 'm/r1', knownTime: day(11) },
    ];
    expect(delaysOf(served, known, 9)).toEqual({
      known: 2,
      waiting: 2,
      medianDays: 10,
      matureDays: 10,
      matured: { share: 0.25, lower: expect.any(Number), upper: expect.any(Number) },
    });
  });
  it('say nothing of an age that no unit has reached', () => {
    const known = [{ unit: 'm/r3', knownTime: day(4) }];
    expect(delaysOf(served, known, 9)).toMatchObject({ known: 1, waiting: 3, medianDays: null, matured: null });
  });
  it('count an end that was known before the last decision as known at once', () => {
    expect(delaysOf([{ unit: 'm/r', lastAt: day(5) }], [{ unit: 'm/r', knownTime: day(3) }], 0)).toMatchObject({
      medianDays: 0,
      matureDays: 0,
      matured: { share: 1 },
    });
  });
  it('are none without a unit', () => {
    expect(delaysOf([], [], 3)).toBeNull();
    expect(delaysOf([], [{ unit: 'm/r', knownTime: day(1) }], 3)).toBeNull();
  });
});
