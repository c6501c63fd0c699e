import { arlOneSided, arlTwoSided, limitForArl0 } from '#core/drift/limits/arl.ts';
import { arl0OfLimit, blockLength, limitFromReference } from '#core/drift/limits/block-bootstrap.ts';
import { gaussLegendre } from '#core/drift/limits/gauss-legendre.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

/** All digits that drift.md prints: half a unit of the last one. */
const printed = (value: number, expected: string): void => {
  const digits = expected.split('.')[1]?.length ?? 0;
  expect(Math.abs(value - Number(expected))).toBeLessThanOrEqual(0.5 * 10 ** -digits);
};

describe('the run length of a CUSUM', () => {
  it.each([
    [4, '335.37', '167.68', '8.38'],
    [5, '930.89', '465.44', '10.38'],
  ])('for k = 0.5 and h = %d is that of drift.md V10, to all digits printed', (h, one, two, shifted) => {
    const chart = { k: 0.5, h };
    printed(arlOneSided(chart), one);
    printed(arlTwoSided(chart), two);
    printed(arlOneSided(chart, 1), shifted);
  });
  it.each([
    [0.125, ['15.6965', '24.6336', '33.8028', '43.0077']],
    [0.25, ['9.9312', '14.4917', '19.0907', '23.6951']],
    [0.5, ['5.7574', '8.0530', '10.3547', '12.6572']],
  ])('for k = %d has the limits of drift.md V10 for 1e3 to 1e6, to all digits printed', (k, limits) => {
    for (const [i, expected] of limits.entries()) printed(limitForArl0(k, 10 ** (i + 3)), expected);
  });
  it.each([
    [0.125, ['321', '114', '50', '24']],
    [0.25, ['618', '91.5', '32.3', '14.2']],
    [0.5, ['7957', '191', '25.7', '9.1']],
  ])('for k = %d and 1e6 gives the delays of drift.md V10, to all digits printed', (k, delays) => {
    const h = limitForArl0(k, 1e6);
    for (const [i, mean] of [0.25, 0.5, 1, 2].entries()) printed(arlTwoSided({ k, h }, mean), delays[i] as string);
  });
  it.each([
    { k: -1, h: 4 },
    { k: 0.5, h: 0 },
    { k: 0.5, h: Number.NaN },
  ])('refuses %j', (chart) => {
    expect(() => arlOneSided(chart)).toThrow(/expected k ≥ 0 and h > 0/);
  });
  it('refuses to look for a limit of a run length that no limit has', () => {
    expect(() => limitForArl0(0.5, 1)).toThrow(/expected a run length above/);
  });
});

it('Gauss–Legendre quadrature is exact for polynomials up to twice its nodes less one', () => {
  const integral = gaussLegendre(5, 0, 2).reduce((sum, [at, weight]) => sum + weight * at ** 9, 0);
  expect(integral).toBeCloseTo(2 ** 10 / 10, 10);
});

const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
/** AR(1) of unit variance. */
const alike = (n: number, rho: number, seed: number): number[] => {
  const random = seededRandom(seed);
  let x = normal(random);
  return Array.from({ length: n }, () => {
    x = rho * x + Math.sqrt(1 - rho * rho) * normal(random);
    return x;
  });
};

describe('a limit from the reference', () => {
  it('is near that of the integral equation for many independent windows', () => {
    const { h, arl0 } = limitFromReference({ windows: alike(4000, 0, 1), k: 0.5, seed: 1 }, 200);
    expect(Math.abs(h / limitForArl0(0.5, 200) - 1)).toBeLessThan(0.1);
    expect(Math.abs(arl0.value / 200 - 1)).toBeLessThan(0.1);
  });
  it('is larger where neighbours are alike, and where there are fewer windows', () => {
    const limit = (windows: readonly number[]) => limitFromReference({ windows, k: 0.5, seed: 1 }, 200).h;
    const many = limit(alike(2000, 0, 2));
    expect(limit(alike(2000, 0.6, 2))).toBeGreaterThan(1.5 * many);
    expect(limit(alike(40, 0, 2))).toBeGreaterThan(many);
  });
  it('has a run length with an interval around it that is wider for fewer windows', () => {
    const width = (n: number) => {
      const { value, interval } = arl0OfLimit({ windows: alike(n, 0, 3), k: 0.5, seed: 1 }, 4.5, 2000);
      expect(interval[0]).toBeLessThan(value);
      expect(interval[1]).toBeGreaterThan(value);
      return Math.log(interval[1] / interval[0]);
    };
    expect(width(40)).toBeGreaterThan(width(2000));
  });
  it('is the same for the same seed', () => {
    const reference = { windows: alike(60, 0.3, 4), k: 0.25, seed: 9 };
    expect(limitFromReference(reference, 300)).toEqual(limitFromReference(reference, 300));
  });
  it('is small where the reference never varies', () => {
    const { h, arl0 } = limitFromReference({ windows: new Array(30).fill(7), k: 0.25, seed: 1 }, 200);
    expect(h).toBeLessThan(1);
    expect(arl0.value).toBeGreaterThan(200);
  });
  it('takes longer blocks where neighbours are alike, and never more than half of all', () => {
    expect(blockLength(alike(200, 0, 5))).toBeLessThan(blockLength(alike(200, 0.8, 5)));
    expect(blockLength(alike(20, 0.95, 5))).toBeLessThanOrEqual(10);
    expect(blockLength(new Array(27).fill(1))).toBe(3);
  });
  it('refuses too few windows, and one that is no number', () => {
    const of = (windows: readonly number[]) => () => limitFromReference({ windows, k: 0.25, seed: 1 }, 200);
    expect(of(alike(19, 0, 1))).toThrow(/expected at least 20 windows, got 19/);
    expect(of([...alike(20, 0, 1), Number.NaN])).toThrow(/expected finite numbers, got NaN at 20/);
  });
});
