import fc from 'fast-check';
import { psi, sharesOf } from '../../../core/drift/effects/psi.ts';
import { gammaPQ } from '../../../core/drift/tolerance/noncentral-chi2.ts';

/** Φ by the incomplete gamma function (Abramowitz & Stegun 26.4.19). */
const normalCdf = (z: number): number => (1 + Math.sign(z) * gammaPQ(0.5, (z * z) / 2)[0]) / 2;

describe('the population stability index', () => {
  it('is the sum over bins of (q - p) ln(q / p)', () => {
    expect(psi([0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1])).toBeCloseTo(0.9128696382935673, 12);
  });
  it('counts half a case more in each bin, so that an empty one is no infinity', () => {
    expect(psi(sharesOf([50, 50, 0]), sharesOf([40, 40, 20]))).toBeCloseTo(0.7752203800735229, 12);
  });
  it.each([
    [0.1, 0.0096],
    [0.25, 0.0598],
    [0.5, 0.2377],
    [1, 0.9261],
    [2, 3.3126],
  ])('of deciles of a normal mean that moves by %s sigma is %s', (shift, expected) => {
    const deciles = [-1.2815515655, -0.8416212336, -0.5244005127, -0.2533471031, 0];
    const edges = [
      ...deciles,
      ...deciles
        .slice(0, 4)
        .map((e) => -e)
        .reverse(),
    ];
    const cdf = edges.map((e) => normalCdf(e - shift));
    const moved = [...cdf, 1].map((c, i) => c - (cdf[i - 1] ?? 0));
    expect(psi(new Array(10).fill(0.1), moved)).toBeCloseTo(expected, 4);
  });
  it('is nothing for the same counts, and finite and not negative for any', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 6, maxLength: 6 }).filter((c) => c.some((n) => n > 0));
    fc.assert(
      fc.property(counts, counts, (a, b) => {
        expect(psi(sharesOf(a), sharesOf(a))).toBe(0);
        const value = psi(sharesOf(a), sharesOf(b));
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(0);
      }),
    );
  });
  it('refuses other bins than the baseline has', () => {
    expect(() => psi([1], [0.5, 0.5])).toThrow(/must be the same bins/);
  });
  it('refuses to judge nothing', () => {
    expect(() => sharesOf([0, 0])).toThrow(/nothing was counted/);
  });
});
