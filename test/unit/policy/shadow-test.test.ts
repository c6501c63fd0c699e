import fc from 'fast-check';
import type { ShadowPolicy } from '#core/contracts/use-case.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { type AssetBatches, type DeviceBatches, shadowTest } from '#core/policy/shadow-test.ts';

const policy: ShadowPolicy = {
  tolerance: 15,
  batch: 5,
  maxDisagreement: 0.1,
  margin: 0.3,
  alpha: 0.001,
  beta: 0.05,
};
const on = (assets: readonly AssetBatches[], device = 'edge-1'): DeviceBatches[] => [{ device, assets }];
const test1 = (batches: readonly number[], more: Partial<Parameters<typeof shadowTest>[0]> = {}) =>
  shadowTest({ policy, expected: null, differsOn: [], devices: on([{ asset: 'a', batches }]), ...more });

describe('the sequential test of a wave', () => {
  test('stays open without an observation', () => {
    expect(test1([0, 0, 0, 0, 0, 0])).toMatchObject({ verdict: 'open', batches: 0, disagreement: null });
    expect(test1([], { devices: [] })).toMatchObject({ verdict: 'open', against: 1, inFavour: 1 });
  });
  test('is against a package that decides otherwise, after some batches', () => {
    expect(test1([0, 0, 0, 0, 0, 2])).toMatchObject({ verdict: 'open' });
    expect(test1([0, 0, 0, 0, 0, 6])).toMatchObject({ verdict: 'against', disagreement: 1, frames: 30 });
  });
  test('is in favour of one that agrees, after more of them', () => {
    expect(test1([6, 0, 0, 0, 0, 0])).toMatchObject({ verdict: 'open' });
    expect(test1([14, 1, 0, 0, 0, 0])).toMatchObject({ verdict: 'in-favour', batches: 15 });
  });
  test('expects as much disagreement as the evaluation measured', () => {
    const half = [0, 0, 20, 20, 0, 0];
    expect(test1(half).verdict).toBe('against');
    expect(test1(half, { expected: 0.5 })).toMatchObject({ verdict: 'in-favour', acceptable: 0.5 });
    expect(test1(half, { expected: 0.05 }).acceptable).toBe(0.1);
  });
  test('leaves out assets on which the two are known to differ', () => {
    const assets = [
      { asset: 'a', batches: [20, 0, 0, 0, 0, 0] },
      { asset: 'b', batches: [0, 0, 0, 0, 0, 20] },
    ];
    expect(test1([], { devices: on(assets) }).verdict).toBe('against');
    expect(test1([], { devices: on(assets), differsOn: ['b'] })).toMatchObject({
      verdict: 'in-favour',
      batches: 20,
      noReference: ['b'],
    });
    expect(test1([], { devices: on(assets), differsOn: ['a', 'b'] }).verdict).toBe('no-reference');
  });
  test('one device on which the package computes otherwise is not hidden by many that are well', () => {
    const ring = (batches: number) =>
      Array.from({ length: 10 }, (_, i) => ({
        device: `edge-${i}`,
        assets: [{ asset: `a-${i}`, batches: i === 7 ? [0, 0, 0, 0, 0, batches] : [batches, 0, 0, 0, 0, 0] }],
      }));
    expect(test1([], { devices: ring(3) })).toMatchObject({ verdict: 'open', far: { devices: ['edge-7'] } });
    expect(test1([], { devices: ring(7) })).toMatchObject({ verdict: 'against', far: { devices: ['edge-7'] } });
    expect(test1([], { devices: ring(7).filter((d) => d.device !== 'edge-7') }).verdict).toBe('in-favour');
  });
  test('a device that compares nothing says nothing', () => {
    const devices = [...on([{ asset: 'a', batches: [20, 0, 0, 0, 0, 0] }]), { device: 'edge-2', assets: null }];
    expect(test1([], { devices })).toMatchObject({
      verdict: 'in-favour',
      batches: 20,
      far: { devices: [], frames: 0, disagreement: null },
    });
  });
  test('says nothing where the two may differ on nearly every frame', () => {
    expect(test1([0, 0, 0, 0, 0, 99], { expected: 0.8 })).toMatchObject({ verdict: 'no-reference', inFavour: 0 });
  });
  test('works where no disagreement at all is acceptable', () => {
    const strict = { ...policy, maxDisagreement: 0 };
    expect(test1([30, 0, 0, 0, 0, 0], { policy: strict }).verdict).toBe('in-favour');
    expect(test1([0, 4, 0, 0, 0, 0], { policy: strict }).verdict).toBe('against');
  });
  test('keeps its e-values within what a store can hold', () => {
    expect(test1([0, 0, 0, 0, 0, 9999])).toMatchObject({ against: 1e12, inFavour: 0 });
  });
  test('more disagreement never speaks less against a package, nor more in its favour', () => {
    const counts = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 0, max: 4 }), (batches, k) => {
        const better = batches.map((n, i) => n + (i === k ? 1 : 0));
        const worse = batches.map((n, i) => n + (i === k + 1 ? 1 : 0));
        expect(test1(worse).against).toBeGreaterThanOrEqual(test1(better).against);
        expect(test1(worse).inFavour).toBeLessThanOrEqual(test1(better).inFavour);
      }),
    );
  });
  test('does not depend on how batches are spread over assets', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 6, maxLength: 6 }), (batches) => {
        const assets = batches.map((n, k) => ({ asset: `a-${k}`, batches: batches.map((_, i) => (i === k ? n : 0)) }));
        expect(test1([], { devices: on(assets) }).against).toBeCloseTo(test1(batches).against, 6);
      }),
    );
  });
});

describe('the declared error rates, looking after each of 60 batches', () => {
  const WAVES = 300;
  const LOOKS = 60;
  /** How many of the simulated waves ever reach a verdict. `within`: how much the frames of a batch depend on each other. */
  const share = (
    wanted: 'against' | 'in-favour',
    p: number,
    within: 'independent' | 'identical',
    declared: ShadowPolicy,
    seed: number,
  ): number => {
    const next = seededRandom(seed);
    let reached = 0;
    for (let wave = 0; wave < WAVES; wave++) {
      const batches = [0, 0, 0, 0, 0, 0];
      for (let look = 0; look < LOOKS; look++) {
        let k = 0;
        if (within === 'identical') k = next() < p ? 5 : 0;
        else for (let i = 0; i < 5; i++) k += next() < p ? 1 : 0;
        batches[k] = (batches[k] as number) + 1;
        const seen = test1(batches, { policy: declared });
        const value = wanted === 'against' ? seen.against : seen.inFavour;
        if (value >= 1 / (wanted === 'against' ? declared.alpha : declared.beta)) {
          reached += 1;
          break;
        }
      }
    }
    return reached / WAVES;
  };
  const loose = { ...policy, alpha: 0.05, beta: 0.05 };
  test.each(['independent', 'identical'] as const)(
    'an acceptable package is reverted in at most alpha of the waves, frames of a batch %s',
    (within) => {
      expect(share('against', 0.1, within, loose, 1)).toBeLessThanOrEqual(0.05);
      expect(share('against', 0.1, within, policy, 2)).toBeLessThanOrEqual(0.005);
    },
  );
  test.each(['independent', 'identical'] as const)(
    'a package that is not acceptable passes in at most beta of the waves, frames of a batch %s',
    (within) => {
      expect(share('in-favour', 0.4, within, loose, 3)).toBeLessThanOrEqual(0.05);
    },
  );
  test('a package that is good or bad is told within the looks, nearly always', () => {
    expect(share('against', 0.6, 'identical', policy, 4)).toBeGreaterThan(0.99);
    expect(share('in-favour', 0.05, 'identical', policy, 5)).toBeGreaterThan(0.95);
  });
});
