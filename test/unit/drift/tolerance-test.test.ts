import fc from 'fast-check';
import { psi, sharesOf } from '../../../core/drift/effects/psi.ts';
import {
  type DesignEffect,
  designEffectOf,
  designEffectOfFeature,
  tailsOf,
} from '../../../core/drift/tolerance/design-effect.ts';
import {
  gammaPQ,
  lnGamma,
  noncentralChi2,
  noncentralityBounds,
} from '../../../core/drift/tolerance/noncentral-chi2.ts';
import { toleranceTest } from '../../../core/drift/tolerance/tolerance-test.ts';
import { seededRandom } from '../../../core/policy/bootstrap.ts';

const near = (value: number, expected: number, relative: number): void =>
  expect(Math.abs(value / expected - 1)).toBeLessThan(relative);

describe('the noncentral chi-square distribution', () => {
  // scipy 1.17.1: stats.ncx2.cdf and .sf, stats.chi2 where the noncentrality is 0.
  it.each([
    [30, 9, (500 * 10000 * 0.02) / 10500, 0.9235886124289875, 0.07641138757101239],
    [30, 9, 0, 0.9995612782290205, 0.00043872177097947936],
    [5, 3.7, 40, 4.557553351247712e-6, 0.9999954424466487],
    [500, 11, 420, 0.9487874356381294, 0.05121256436187064],
    [90, 4.2, 0.5, 1, 4.925932713166219e-17],
    [2, 9, 30, 2.5514923113692914e-8, 0.999999974485077],
    [0.3, 1, 0.1, 0.39772719413935625, 0.6022728058606438],
  ])('agrees with scipy at x = %s, dof = %s, noncentrality = %s', (x, dof, lambda, cdf, sf) => {
    const ours = noncentralChi2(x, dof, lambda);
    near(ours.cdf, cdf, 1e-9);
    near(ours.sf, sf, 1e-9);
  });
  it('agrees with scipy in tails that rest on few of the Poisson weights', () => {
    near(noncentralChi2(10585.958391622575, 12, 8512.90561373754).sf, 2.1360621771961022e-26, 1e-9);
    near(noncentralChi2(135.5643893157719, 175.02136339272644, 476.7773559337111).cdf, 4.568697569736428e-55, 1e-9);
  });
  it('agrees with scipy to 1e-7 at a noncentrality of 100 000', () => {
    near(noncentralChi2(1e5, 9, 1e5).sf, 0.5050461388896923, 1e-7);
  });
  it('adds up to one, and the tail grows with the noncentrality', () => {
    const positive = (max: number) => fc.double({ min: 0.1, max, noNaN: true });
    fc.assert(
      fc.property(positive(300), positive(60), positive(300), (x, dof, lambda) => {
        const { cdf, sf } = noncentralChi2(x, dof, lambda);
        expect(cdf + sf).toBeCloseTo(1, 9);
        expect(noncentralChi2(x, dof, lambda * 1.5).sf).toBeGreaterThanOrEqual(sf - 1e-12);
      }),
    );
  });
  it('has bounds of its noncentrality at which the observation is just as rare as said', () => {
    const { lower, upper } = noncentralityBounds(40, 9, 0.01);
    near(noncentralChi2(40, 9, lower).sf, 0.01, 1e-6);
    near(noncentralChi2(40, 9, upper).cdf, 0.01, 1e-6);
    expect(noncentralityBounds(9, 9, 0.01).lower).toBe(0);
    expect(noncentralityBounds(0.1, 9, 0.01).upper).toBe(0);
  });
  it('rests on the gamma functions', () => {
    near(lnGamma(0.5), Math.log(Math.PI) / 2, 1e-13);
    near(lnGamma(11), Math.log(3628800), 1e-13);
    near(lnGamma(0.1), 2.252712651734206, 1e-13);
    expect(gammaPQ(3, 0)).toEqual([0, 1]);
  });
});

const shares = new Array<number>(10).fill(0.1);
/** Share of `windows` windows of n draws from `population` that exceed the tolerance. */
const exceeding = (n: number, population: readonly number[], tolerance: number, windows = 400): number => {
  const random = seededRandom(n);
  let count = 0;
  for (let w = 0; w < windows; w++) {
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < n; i++) {
      let u = random();
      let bin = 0;
      while (bin < 9 && u >= (population[bin] as number)) u -= population[bin++] as number;
      counts[bin] = (counts[bin] as number) + 1;
    }
    if (toleranceTest({ shares, rows: 10_000, counts, tolerance, alpha: 0.01 }).exceeds) count += 1;
  }
  return count / windows;
};
/** Deciles of a normal mean moved by 0.5 sigma: population index 0.231. */
const HALF_SIGMA = [0.0374, 0.0524, 0.0632, 0.0726, 0.0829, 0.0942, 0.1078, 0.1264, 0.1564, 0.2067];
/** Population index 0.0199. */
const AT_TOLERANCE = [0.069, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.131];

describe('the tolerance test', () => {
  it('expects the index that a window has without any change', () => {
    const { psi, biasCorrected } = toleranceTest({
      shares,
      rows: 10_000,
      counts: new Array(10).fill(50),
      tolerance: 0.02,
      alpha: 0.01,
    });
    expect(psi - biasCorrected).toBeCloseTo(9 * (1 / 500 + 1 / 10_000), 12);
  });
  it.each([100, 500])('calls hardly any of the windows of %s rows that are as in training', (n) => {
    expect(exceeding(n, shares, 0.02)).toBeLessThanOrEqual(0.01);
  });
  it('keeps its level where the change is just what is tolerated, however large the window', () => {
    for (const n of [200, 2000, 5000]) expect(exceeding(n, AT_TOLERANCE, 0.02, 200)).toBeLessThanOrEqual(0.025);
  });
  it('sees half a sigma in 200 rows', () => {
    expect(exceeding(200, HALF_SIGMA, 0.02)).toBeGreaterThan(0.9);
  });
  it('exceeds when the lower bound of the index does', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(80), { minLength: 10, maxLength: 10 }), (counts) => {
        fc.pre(counts.some((c) => c > 0));
        const r = toleranceTest({ shares, rows: 5000, counts, tolerance: 0.05, alpha: 0.01 });
        fc.pre(Math.abs(r.lower - 0.05) > 1e-6);
        expect(r.exceeds).toBe(r.lower > 0.05);
        expect(r.upper).toBeGreaterThanOrEqual(r.lower);
      }),
    );
  });
  it('asks more of windows whose rows are alike', () => {
    const counts = [60, 60, 55, 55, 50, 50, 45, 45, 40, 40];
    const of = (designEffect: { scale: number; dof: number } | null) =>
      toleranceTest({ shares, rows: 10_000, counts, tolerance: 0, alpha: 0.05, designEffect, windows: 200 });
    expect(of({ scale: 6, dof: 3 }).p).toBeGreaterThan(of(null).p);
    expect(of({ scale: 6, dof: 3 }).calibrated).toBe(true);
    expect(of(null).calibrated).toBe(false);
  });
  it('says that it is not calibrated by fewer than a hundred windows', () => {
    const designEffect = { scale: 2, dof: 5 };
    const of = (windows: number) =>
      toleranceTest({
        shares,
        rows: 900,
        counts: shares.map(() => 10),
        tolerance: 0.1,
        alpha: 0.01,
        designEffect,
        windows,
      });
    expect([99, 100].map((w) => of(w).calibrated)).toEqual([false, true]);
  });
  it('refuses a reference without rows', () => {
    expect(() => toleranceTest({ shares, rows: 0, counts: shares, tolerance: 0.1, alpha: 0.01 })).toThrow(
      /at least 1 row/,
    );
  });
});

describe('the design effect', () => {
  it('has the mean and the variance of the reference windows', () => {
    const { scale, dof } = designEffectOf({ mean: 30, variance: 240 }) as { scale: number; dof: number };
    expect(scale * dof).toBeCloseTo(30, 12);
    expect(2 * scale * scale * dof).toBeCloseTo(240, 9);
  });
  it('is nothing where the windows say nothing', () => {
    expect(designEffectOf({ mean: 0, variance: 0 })).toBeNull();
    // A constant feature: the statistic of each window is the same but for rounding.
    expect(designEffectOf({ mean: 2.3, variance: 1.6e-29 })).toBeNull();
  });
  it('knows the direction of a shift by the means of windows, within what the squares allow', () => {
    const means = Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? 0.2 : -0.2));
    const of = (rows: number) => designEffectOf({ mean: 30, variance: 240, rows, means })?.direction;
    expect(of(200)).toBeCloseTo(((200 * 0.04 * 100) / 99) * (1 + Math.sqrt(2 / 99)), 9);
    expect(of(1)).toBe(4);
    expect(of(1e6)).toBeCloseTo(Math.sqrt(120), 9);
    expect(designEffectOf({ mean: 30, variance: 240 })?.direction).toBeCloseTo(Math.sqrt(120), 9);
    expect(designEffectOf({ mean: 3, variance: 240 })?.direction).toBe(3);
  });
  it('of a feature is nothing where the baseline has no windows', () => {
    expect(designEffectOfFeature({}, 100)).toBeNull();
    expect(designEffectOfFeature({ windowStatistic: { mean: 9, variance: 18 } }, 100)?.direction).toBe(3);
  });
  it('has tails of a noncentral chi-square where all directions are alike, nearly so by its cumulants', () => {
    const alike = { scale: 2, dof: 9 };
    const [exact, byCumulants] = [tailsOf(60, alike), tailsOf(60, { ...alike, direction: 2 })];
    for (const l of [0, 10, 30]) {
      near(exact.sf(l), noncentralChi2(30, 9, l / 2).sf, 1e-12);
      near(byCumulants.sf(l), exact.sf(l), 0.05);
      expect(byCumulants.sf(l) + byCumulants.cdf(l)).toBeCloseTo(1, 12);
    }
  });
  it('has tails by cumulants where a window is so large and so far off that a sum would be long', () => {
    const tails = tailsOf(20_000, { scale: 1, dof: 9 });
    for (const l of [19_500, 19_800, 20_200]) near(tails.sf(l), noncentralChi2(20_000, 9, l).sf, 1e-3);
  });
  it('keeps the level on rows that are strongly correlated', () => {
    // AR(1) with correlation 0.9 and windows of 200: a plain test at 1 % fires on most of them.
    const random = seededRandom(3);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const edges = [-1.28155, -0.84162, -0.5244, -0.25335, 0, 0.25335, 0.5244, 0.84162, 1.28155];
    let z = normal();
    const window = (): number[] => {
      const counts = new Array<number>(10).fill(0);
      for (let i = 0; i < 200; i++) {
        z = 0.9 * z + Math.sqrt(1 - 0.81) * normal();
        const bin = edges.filter((e) => e <= z).length;
        counts[bin] = (counts[bin] as number) + 1;
      }
      return counts;
    };
    const reference = Array.from({ length: 150 }, window);
    const rows = 150 * 200;
    const total = shares.map((_, b) => reference.reduce((sum, w) => sum + (w[b] as number), 0));
    const statistics = reference.map((counts) => {
      const rest = total.map((t, b) => (t - (counts[b] as number)) / (rows - 200));
      const { psi } = toleranceTest({ shares: rest, rows: rows - 200, counts, tolerance: 0, alpha: 0.01 });
      return (psi * 200 * (rows - 200)) / rows;
    });
    const mean = statistics.reduce((a, b) => a + b, 0) / 150;
    const variance = statistics.reduce((a, s) => a + (s - mean) ** 2, 0) / 149;
    const base = { shares: total.map((t) => t / rows), rows, tolerance: 1e-9, alpha: 0.01 };
    const designEffect = designEffectOf({ mean, variance });
    let naive = 0;
    let ours = 0;
    for (let w = 0; w < 400; w++) {
      const counts = window();
      if (toleranceTest({ ...base, counts }).exceeds) naive += 1;
      if (toleranceTest({ ...base, counts, designEffect, windows: 150 }).exceeds) ours += 1;
    }
    expect(naive / 400).toBeGreaterThan(0.5);
    expect(ours / 400).toBeLessThan(0.03);
  });
  it('keeps the level where correlated rows moved by just what is tolerated', () => {
    const random = seededRandom(8);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const edges = [-1.28155, -0.84162, -0.5244, -0.25335, 0, 0.25335, 0.5244, 0.84162, 1.28155];
    const rho = 0.7;
    let z = normal();
    const window = (rows: number, shift: number): { counts: number[]; mean: number } => {
      const counts = new Array<number>(10).fill(0);
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        z = rho * z + Math.sqrt(1 - rho * rho) * normal();
        let bin = 0;
        while (bin < 9 && (edges[bin] as number) <= z + shift) bin++;
        counts[bin] = (counts[bin] as number) + 1;
        sum += z;
      }
      return { counts, mean: sum / rows };
    };
    const exceeded = { cumulants: 0, alike: 0 };
    for (let r = 0; r < 8; r++) {
      const reference = Array.from({ length: 120 }, () => window(250, 0));
      const rows = 120 * 250;
      const total = shares.map((_, b) => reference.reduce((sum, w) => sum + (w.counts[b] as number), 0));
      const statistics = reference.map(({ counts }) => {
        const rest = total.map((t, b) => t - (counts[b] as number));
        return (psi(sharesOf(rest), sharesOf(counts)) * 250 * (rows - 250)) / rows;
      });
      const mean = statistics.reduce((a, b) => a + b, 0) / 120;
      const variance = statistics.reduce((a, s) => a + (s - mean) ** 2, 0) / 119;
      const means = reference.map((w) => w.mean);
      const designEffect = designEffectOf({ mean, variance, rows: 250, means }) as DesignEffect;
      const { scale, dof } = designEffect;
      for (let w = 0; w < 50; w++) {
        // Population index 0.02.
        const { counts } = window(1000, 0.1435);
        const base = { shares: total.map((t) => t / rows), rows, counts, tolerance: 0.02, alpha: 0.01 };
        if (toleranceTest({ ...base, designEffect }).exceeds) exceeded.cumulants += 1;
        if (toleranceTest({ ...base, designEffect: { scale, dof } }).exceeds) exceeded.alike += 1;
      }
    }
    expect(exceeded.cumulants / 400).toBeLessThan(0.02);
    expect(exceeded.alike / 400).toBeGreaterThan(0.02);
  });
});
