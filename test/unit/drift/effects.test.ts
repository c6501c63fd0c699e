import fc from 'fast-check';
import type { BaselineFeature } from '../../../core/contracts/baseline.ts';
import { curveOf, sharesOn } from '../../../core/drift/effects/curve.ts';
import { effectsOf } from '../../../core/drift/effects/effects.ts';
import { jensenShannon } from '../../../core/drift/effects/jensen-shannon.ts';
import { kolmogorovSmirnov } from '../../../core/drift/effects/kolmogorov-smirnov.ts';
import { psi, sharesOf } from '../../../core/drift/effects/psi.ts';
import { wasserstein } from '../../../core/drift/effects/wasserstein.ts';
import { gammaPQ } from '../../../core/drift/tolerance/noncentral-chi2.ts';
import { normalUpper } from '../../../core/drift/tolerance/normal.ts';
import { seededRandom } from '../../../core/policy/bootstrap.ts';

type Numeric = Extract<BaselineFeature['cells'], { kind: 'numeric' }>;
const numeric = (edges: number[], o: Partial<Numeric> = {}): Numeric => ({
  kind: 'numeric',
  edges,
  atoms: [],
  range: null,
  center: 0,
  scale: 1,
  ...o,
});
/** Φ by the incomplete gamma function (Abramowitz & Stegun 26.4.19). */
const normalCdf = (z: number): number => (1 + Math.sign(z) * gammaPQ(0.5, (z * z) / 2)[0]) / 2;
/** 20 cells of a standard normal at quantiles, with tail cells at 0.1 and 99.9 %. */
const NORMAL = numeric([
  normalUpper(0.999),
  ...Array.from({ length: 19 }, (_, i) => normalUpper(1 - (i + 1) / 20)),
  normalUpper(0.001),
]);
const gaussian = (random: () => number) => (): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const count = (cells: Numeric, values: readonly number[]): number[] => {
  const counts = new Array<number>(cells.edges.length + 1 + cells.atoms.length + 4).fill(0);
  for (const x of values) {
    const atom = cells.atoms.indexOf(x);
    const cell = atom >= 0 ? cells.edges.length + 1 + atom : cells.edges.filter((e) => e <= x).length;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
};
const sample = (n: number, next: () => number): number[] => Array.from({ length: n }, next);
/** Exact distance of samples of the same size. */
const exactDistance = (x: readonly number[], y: readonly number[]): number => {
  const [a, b] = [[...x].sort((p, q) => p - q), [...y].sort((p, q) => p - q)];
  return a.reduce((sum, v, i) => sum + Math.abs(v - (b[i] as number)), 0) / a.length;
};

describe('distances of two distributions', () => {
  it('Jensen–Shannon agrees with scipy (drift.md §4 V1, scipy 1.17.1)', () => {
    const divergence = jensenShannon([0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1]);
    expect(divergence).toBeCloseTo(0.153560655328985, 14);
    expect(Math.sqrt(divergence)).toBeCloseTo(0.3918681606471552, 13);
    expect(Math.sqrt(divergence * Math.LN2)).toBeCloseTo(0.3262516441126745, 13);
  });
  it('Jensen–Shannon is 1 for nothing in common and takes empty cells', () => {
    expect(jensenShannon([1, 0, 0], [0, 1, 0])).toBe(1);
    expect(() => jensenShannon([1], [0.5, 0.5])).toThrow(/must be the same cells/);
  });
  it('Kolmogorov–Smirnov is the exact D of values that edges separate (drift.md §4 V5)', () => {
    const cells = numeric([1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
    const curve = curveOf(cells);
    const shares = (values: number[]) => sharesOn(curve, count(cells, values)) as readonly number[];
    expect(kolmogorovSmirnov(shares([1, 2, 3, 4, 5]), shares([3, 4, 5, 6, 7]))).toBeCloseTo(0.4, 14);
  });
  it('Wasserstein is the exact one of atoms (drift.md §4 V6)', () => {
    const cells = numeric([-10, 20], { atoms: [0, 1, 3, 5, 6, 8] });
    const curve = curveOf(cells);
    const shares = (values: number[]) => sharesOn(curve, count(cells, values)) as readonly number[];
    expect(wasserstein(curve, shares([0, 1, 3]), shares([5, 6, 8]))).toBeCloseTo(5, 12);
  });
  it('Wasserstein on cells is within a tenth of that of the values for shifts up to two sigma', () => {
    const normal = gaussian(seededRandom(2));
    const curve = curveOf(NORMAL);
    for (const shift of [0.3, 1, 2]) {
      const [x, y] = [sample(5000, normal), sample(5000, normal).map((v) => v + shift)];
      const [p, q] = [x, y].map((v) => sharesOn(curve, count(NORMAL, v)) as readonly number[]);
      const onCells = wasserstein(curve, p as readonly number[], q as readonly number[]);
      expect(Math.abs(onCells / exactDistance(x, y) - 1)).toBeLessThan(0.1);
    }
  });
});

/** Shares of a normal distribution moved by some sigma, on the cells of NORMAL. */
const sharesAt = (shift: number): number[] => {
  const cdf = [...NORMAL.edges.map((e) => normalCdf(e - shift)), 1];
  return [...cdf.map((c, i) => c - (cdf[i - 1] ?? 0)), 0, 0, 0, 0];
};
const draw = (n: number, shares: readonly number[], random: () => number): number[] => {
  const counts = shares.map(() => 0);
  for (let i = 0; i < n; i++) {
    let u = random();
    let cell = 0;
    while (cell < shares.length - 1 && u >= (shares[cell] as number)) u -= shares[cell++] as number;
    counts[cell] = (counts[cell] as number) + 1;
  }
  return counts;
};
const NAMES = ['js', 'wasserstein', 'ks'] as const;
const of = (reference: readonly number[], counts: readonly number[], alpha = 0.05) =>
  effectsOf({ cells: NORMAL, reference, counts }, { alpha });

describe('effect sizes', () => {
  it('are about nothing, less their bias, where nothing changed', () => {
    const random = seededRandom(3);
    const means = { js: 0, wasserstein: 0, ks: 0 };
    for (let w = 0; w < 200; w++) {
      const effects = of(draw(2000, sharesAt(0), random), draw(300, sharesAt(0), random));
      for (const name of NAMES) means[name] += (effects[name]?.value ?? 1) / 200;
    }
    for (const name of NAMES) expect([name, means[name] < 0.035]).toEqual([name, true]);
  });
  it.each([0, 0.25, 0.5, 1, 2])(
    'have bounds that hold at least as often as they say at a shift of %s sigma',
    (shift) => {
      const random = seededRandom(4);
      const curve = curveOf(NORMAL);
      const [p, q] = [sharesAt(0), sharesAt(shift)];
      const exact = {
        js: Math.sqrt(jensenShannon(p, q)),
        wasserstein: wasserstein(curve, sharesOn(curve, p) ?? [], sharesOn(curve, q) ?? []) / (2 * normalUpper(0.25)),
        ks: kolmogorovSmirnov(sharesOn(curve, p) ?? [], sharesOn(curve, q) ?? []),
      };
      const missed = { js: 0, wasserstein: 0, ks: 0 };
      for (let w = 0; w < 200; w++) {
        const effects = of(draw(3000, p, random), draw(300, q, random));
        for (const name of NAMES) {
          const { lower, upper } = effects[name] as { lower: number; upper: number };
          if (lower > exact[name] || upper < exact[name]) missed[name] += 1;
        }
      }
      // Two bounds at 5 % each, of 200 windows.
      for (const name of NAMES) expect([name, missed[name] <= 28]).toEqual([name, true]);
    },
  );
  it('have Wasserstein bounds that hold where the window spreads far from a reference of nearly one value', () => {
    const random = seededRandom(6);
    const cells = numeric([-10, -5, 5, 10], { atoms: [0], range: [-100, 100] });
    const withAtEnd = (share: number): number[] => [5e-4, 5e-4, 0, 5e-4, 5e-4, 0.998 - share, 0, share, 0, 0];
    const [p, q] = [withAtEnd(0), withAtEnd(0.1)];
    const curve = curveOf(cells);
    const exact = wasserstein(curve, sharesOn(curve, p) ?? [], sharesOn(curve, q) ?? []) / 1.3489795;
    let missed = 0;
    for (let w = 0; w < 200; w++) {
      const { wasserstein: found } = effectsOf(
        { cells, reference: draw(3000, p, random), counts: draw(300, q, random) },
        { alpha: 0.05 },
      );
      if (found === null || found.lower > exact || found.upper < exact) missed += 1;
    }
    expect(missed).toBeLessThanOrEqual(28);
  });
  it('are blind to no shift because of one wild value (drift.md §0.3: the index stays 0.886)', () => {
    const random = seededRandom(5);
    const cells = numeric(Array.from({ length: 9 }, (_, i) => normalUpper(1 - (i + 1) / 10)));
    const normal = gaussian(random);
    const reference = count(cells, sample(5000, normal));
    const moved = sample(5000, () => 1 + normal());
    const [without, wild] = [moved, [...moved, 1000]].map((values) => {
      const counts = count(cells, values);
      return {
        ...effectsOf({ cells, reference, counts }, { alpha: 0.05 }),
        psi: psi(sharesOf(reference), sharesOf(counts)),
      };
    });
    expect(without?.psi).toBeGreaterThan(0.85);
    expect(Math.abs((wild?.psi ?? 0) - (without?.psi ?? 0))).toBeLessThan(0.001);
    for (const name of NAMES)
      expect(Math.abs((wild?.[name]?.value ?? 0) - (without?.[name]?.value ?? 0))).toBeLessThan(0.001);
  });
  it('are defined for any counts: bounds in order, values in their range', () => {
    const cells = numeric([0, 1, 2], { atoms: [0.5, 1, 7], range: [-1, 5] });
    const counts = fc.array(fc.nat(50), { minLength: 11, maxLength: 11 }).filter((c) => c.some((n) => n > 0));
    fc.assert(
      fc.property(counts, counts, (reference, window) => {
        const effects = effectsOf({ cells, reference, counts: window }, { alpha: 0.01 });
        for (const name of NAMES) {
          const effect = effects[name];
          if (effect === null) continue;
          expect(effect.lower).toBeGreaterThanOrEqual(0);
          expect(effect.upper).toBeGreaterThanOrEqual(effect.lower);
          expect(Number.isFinite(effect.value)).toBe(true);
          if (name !== 'wasserstein') expect(effect.upper).toBeLessThanOrEqual(1);
        }
        const same = effectsOf({ cells, reference, counts: reference }, { alpha: 0.01 });
        for (const name of NAMES) expect(same[name]?.value ?? 0).toBe(0);
      }),
    );
  });
  it('of a constant are in standard deviations instead of its interquartile range of nothing', () => {
    const cells = numeric([0, 10], { atoms: [5], scale: 2 });
    const [reference, counts] = [
      count(
        cells,
        sample(1000, () => 5),
      ),
      count(
        cells,
        sample(500, () => 5),
      ),
    ];
    expect(effectsOf({ cells, reference, counts }, { alpha: 0.05 }).wasserstein?.value).toBe(0);
    const split = count(cells, [...sample(250, () => 5), ...sample(250, () => 9)]);
    expect(effectsOf({ cells, reference, counts: split }, { alpha: 0.05 }).wasserstein?.value).toBeGreaterThan(0);
  });
  it('put what is beyond the range at its end, and leave rows without a number to data quality', () => {
    const cells = numeric([1, 2], { range: [0, 4] });
    const reference = [10, 80, 10, 0, 0, 0, 0];
    const ordered = (counts: number[]) => effectsOf({ cells, reference, counts }, { alpha: 0.05 });
    expect(ordered([0, 0, 0, 0, 100, 0, 0]).wasserstein?.upper).toBeGreaterThan(
      ordered([0, 0, 100, 0, 0, 0, 0]).wasserstein?.upper ?? Number.POSITIVE_INFINITY,
    );
    expect(ordered([10, 80, 10, 0, 0, 900, 0]).ks?.value).toBe(0);
    expect(ordered([0, 0, 0, 0, 0, 5, 5])).toMatchObject({ wasserstein: null, ks: null });
  });
  it('of a category have no order, so no Wasserstein and no Kolmogorov–Smirnov', () => {
    const cells: BaselineFeature['cells'] = { kind: 'category', names: ['a', 'b'], others: [] };
    const effects = effectsOf({ cells, reference: [90, 10, 0, 0, 0], counts: [40, 10, 0, 50, 0] }, { alpha: 0.05 });
    expect(effects.js.lower).toBeGreaterThan(0.3);
    expect([effects.wasserstein, effects.ks]).toEqual([null, null]);
  });
  it('ask more of windows whose rows are alike', () => {
    const random = seededRandom(6);
    const pair = {
      cells: NORMAL,
      reference: draw(9000, sharesAt(0), random),
      counts: draw(300, sharesAt(0.5), random),
    };
    const independent = effectsOf(pair, { alpha: 0.05 });
    const alike = effectsOf(pair, { alpha: 0.05, designEffect: { scale: 8, dof: 12 } });
    for (const name of NAMES) expect(alike[name]?.lower).toBeLessThan(independent[name]?.lower as number);
  });
  it('take Jensen–Shannon from the pooled cells where there are some', () => {
    const counts = [5, 5, 5, 5, 0, 0, 0, 0];
    const pair = { cells: numeric([1, 2, 3]), reference: [10, 0, 0, 10, 0, 0, 0, 0], counts };
    const pooled = { reference: [10, 10], counts: [10, 10] };
    expect(effectsOf({ ...pair, pooled }, { alpha: 0.05 }).js.value).toBe(0);
    expect(effectsOf(pair, { alpha: 0.05 }).js.value).toBeGreaterThan(0.3);
  });
  it('refuse other cells than the baseline has, and nothing counted', () => {
    expect(() => of([1, 2], [1])).toThrow(/2 baseline cells but 1 counted ones/);
    expect(() => of(draw(10, sharesAt(0), seededRandom(1)), new Array(26).fill(0))).toThrow(/nothing was counted/);
  });
});
