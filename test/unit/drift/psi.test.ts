import fc from 'fast-check';
import { judgeDrift, psi } from '../../../core/drift/psi.ts';

const baseline = (...names: string[]) => ({
  schema: 'baseline/1' as const,
  featureSetDigest: `sha256:${'0'.repeat(64)}`,
  rows: 1000,
  features: names.map((name) => ({ name, edges: [1], shares: [0.5, 0.5], mean: 0, std: 1 })),
});

describe('the population stability index', () => {
  it('is nothing for the same shares', () => {
    expect(psi([0.5, 0.5], [500, 500])).toBe(0);
  });
  it('agrees with its formula on large counts', () => {
    const n = 1e9;
    const expected = (0.6 - 0.5) * Math.log(0.6 / 0.5) + (0.4 - 0.5) * Math.log(0.4 / 0.5);
    expect(psi([0.5, 0.5], [0.6 * n, 0.4 * n])).toBeCloseTo(expected, 6);
  });
  it('is finite and not negative for any counts', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 2, maxLength: 12 }), (counts) => {
        fc.pre(counts.some((c) => c > 0));
        const value = psi(
          counts.map(() => 1 / counts.length),
          counts,
        );
        expect(Number.isFinite(value)).toBe(true);
        expect(value).toBeGreaterThanOrEqual(0);
      }),
    );
  });
  it('refuses other bins than the baseline has', () => {
    expect(() => psi([1], [1, 2])).toThrow(/must be the same bins/);
  });
  it('refuses to judge nothing', () => {
    expect(() => psi([0.5, 0.5], [0, 0])).toThrow(/nothing was counted/);
  });
});

describe('a judgement of drift', () => {
  it('names the feature that moved most', () => {
    const judged = judgeDrift(
      baseline('a', 'b'),
      new Map([
        ['a', [500, 500]],
        ['b', [900, 100]],
      ]),
    );
    expect(judged).toMatchObject({ state: 'drifted', worstFeature: 'b' });
  });
  it('watches before it calls it drift', () => {
    expect(judgeDrift(baseline('a'), new Map([['a', [680, 320]]])).state).toBe('watch');
  });
  it('is steady where nothing moved', () => {
    expect(judgeDrift(baseline('a'), new Map([['a', [510, 490]]])).state).toBe('steady');
  });
});
