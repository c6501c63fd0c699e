import fc from 'fast-check';
import {
  bootstrapRmse,
  bootstrapShare,
  compareModels,
  compareRmse,
  type RunErrors,
  seededRandom,
} from '#core/policy/bootstrap.ts';
import { expectDisagreement } from '#core/policy/disagreement.ts';

const runs = Array.from({ length: 12 }, (_, i) => ({ run: `r${i}`, rows: 50 + i, sumSquared: (50 + i) * (i + 1) }));
const times = (k: number, of: readonly RunErrors[]): RunErrors[] =>
  of.map((r) => ({ ...r, sumSquared: r.sumSquared * k * k }));
const errors = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 12 }).chain((names) =>
  fc.tuple(
    ...names.map((n) =>
      fc.record({
        run: fc.constant(`a-${n % 4}/r-${n}`),
        rows: fc.integer({ min: 1, max: 200 }),
        sumSquared: fc.double({ min: 0.01, max: 1e4, noNaN: true }),
      }),
    ),
  ),
);

describe('bootstrap of RMSE', () => {
  test('the same evidence and seed give the same interval, and it holds the point', () => {
    const [a, b] = [bootstrapRmse(runs, seededRandom(7)), bootstrapRmse(runs, seededRandom(7))];
    expect(a).toEqual(b);
    expect(a.lower).toBeLessThanOrEqual(a.rmse);
    expect(a.upper).toBeGreaterThanOrEqual(a.rmse);
  });
  test('RMSE is over rows of all runs', () => {
    expect(bootstrapRmse([{ run: 'a', rows: 2, sumSquared: 8 }], seededRandom(1)).rmse).toBe(2);
  });
  test('refuses no runs and errors that are no number', () => {
    expect(() => bootstrapRmse([], seededRandom(1))).toThrow('at least one run');
    expect(() => bootstrapRmse([{ run: 'a', rows: 1, sumSquared: Number.NaN }], seededRandom(1))).toThrow(
      'run a: expected finite errors',
    );
  });
  test('about 95 of 100 intervals hold the error of the population', () => {
    const random = seededRandom(1);
    const draw = (i: number): RunErrors => ({ run: `r${i}`, rows: 1, sumSquared: -Math.log(1 - random()) });
    let held = 0;
    for (let i = 0; i < 400; i++) {
      const { lower, upper } = bootstrapRmse(
        Array.from({ length: 60 }, (_, r) => draw(r)),
        random,
        200,
      );
      if (lower <= 1 && 1 <= upper) held += 1;
    }
    expect(held / 400).toBeGreaterThan(0.88);
    expect(held / 400).toBeLessThan(0.98);
  });
});

describe('comparison of two models on the same runs', () => {
  test('runs in any order give the same', () => {
    fc.assert(
      fc.property(errors, fc.double({ min: 0.5, max: 2, noNaN: true }), fc.integer(), (champion, k, seed) => {
        const challenger = times(k, champion).map((r, i) => ({ ...r, sumSquared: r.sumSquared + i }));
        expect(compareRmse([...challenger].reverse(), [...champion].reverse(), seed, 50)).toEqual(
          compareRmse(challenger, champion, seed, 50),
        );
      }),
      { numRuns: 50 },
    );
  });
  test('the unit of the label does not change the ratio', () => {
    fc.assert(
      fc.property(errors, fc.double({ min: 0.01, max: 100, noNaN: true }), (champion, k) => {
        const challenger = champion.map((r, i) => ({ ...r, sumSquared: r.sumSquared + 3 * i }));
        const [a, b] = [
          compareRmse(challenger, champion, 1, 50),
          compareRmse(times(k, challenger), times(k, champion), 1, 50),
        ];
        for (const bound of ['point', 'lower', 'upper'] as const)
          expect(b.ratio[bound] / a.ratio[bound]).toBeCloseTo(1, 9);
      }),
      { numRuns: 50 },
    );
  });
  test('a run that is hard for both does not widen the interval', () => {
    const champion = runs.map((r, i) => ({ ...r, sumSquared: r.sumSquared * (i === 3 ? 400 : 1) }));
    const { ratio, b } = compareRmse(times(0.8, champion), champion, 7);
    expect(b.upper / b.lower).toBeGreaterThan(3);
    expect(ratio.lower).toBeCloseTo(0.8, 9);
    expect(ratio.upper).toBeCloseTo(0.8, 9);
  });
  test('a run that one of them could not score is left out', () => {
    const compared = compareModels(runs, runs.slice(2), 7);
    expect(compared).toMatchObject({ challenger: { runs: 10 }, champion: { runs: 10 }, ratio: { point: 1 } });
  });
  test('without a run in common there is no comparison', () => {
    expect(compareModels(runs.slice(0, 2), runs.slice(2), 7)).toBeNull();
    expect(() => compareRmse(runs.slice(0, 2), runs.slice(2), 7)).toThrow('at least one run');
  });
  test('two perfect models are equal, and against a perfect one any error is beyond measure', () => {
    const perfect = times(0, runs);
    expect(compareRmse(perfect, perfect, 7).ratio).toEqual({ point: 1, lower: 1, upper: 1 });
    expect(compareRmse(runs, perfect, 7).ratio.point).toBe(Number.MAX_VALUE);
  });
});

describe('expected disagreement', () => {
  const run = (name: string, disagreeing: number, since = false) => ({ run: name, rows: 10, disagreeing, since });
  test('an asset on which the two differ too often is named, and not in the share', () => {
    const expected = expectDisagreement([run('a/1', 0), run('a/2', 1), run('b/1', 9), run('b/2', 2)], 0.4, 7);
    expect(expected.differsOn).toEqual(['b']);
    expect(expected.share).toBeGreaterThanOrEqual(0.05);
    expect(expected.share).toBeLessThanOrEqual(0.1);
  });
  test('an asset with runs since the champion learnt is judged on those', () => {
    expect(expectDisagreement([run('a/1', 0), run('a/2', 0), run('a/3', 9, true)], 0.4, 7).differsOn).toEqual(['a']);
    expect(expectDisagreement([run('a/1', 9), run('a/2', 9), run('a/3', 0, true)], 0.4, 7)).toEqual({
      share: 0,
      differsOn: [],
    });
  });
  test('with no asset left, or no run at all, the share is 0', () => {
    expect(expectDisagreement([run('a/1', 9)], 0.4, 7)).toEqual({ share: 0, differsOn: ['a'] });
    expect(bootstrapShare([], seededRandom(7))).toBe(0);
  });
  test('of more than 200 assets those that differ most are named', () => {
    const many = Array.from({ length: 250 }, (_, i) => run(`a-${String(i).padStart(3, '0')}/1`, i < 100 ? 5 : 9));
    const { differsOn, share } = expectDisagreement(many, 0.4, 7);
    expect(differsOn).toHaveLength(200);
    expect(differsOn).toContain('a-249');
    expect(differsOn).not.toContain('a-050');
    expect(share).toBe(0.5);
  });
  test('runs in any order give the same', () => {
    const some = [run('a/1', 1), run('a/2', 3, true), run('b/1', 0), run('c/1', 8), run('d/1', 2)];
    fc.assert(
      fc.property(fc.shuffledSubarray(some, { minLength: some.length }), (shuffled) => {
        expect(expectDisagreement(shuffled, 0.4, 7)).toEqual(expectDisagreement(some, 0.4, 7));
      }),
    );
  });
});
