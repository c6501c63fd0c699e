import fc from 'fast-check';
import { candidatesOf, chooseCandidate, foldsOf, foldsRmse } from '../../../core/policy/folds.ts';

const names = (n: number): string[] => Array.from({ length: n }, (_, i) => `engine-${i}/life-01`);

describe('folds', () => {
  test('hold each run once, differ by one run at most, and do not depend on the order of runs', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 2, max: 8 }), fc.nat(), (n, k, seed) => {
        fc.pre(k <= n);
        const folds = foldsOf(names(n), k, seed);
        const sizes = Array.from({ length: k }, (_, f) => [...folds.values()].filter((v) => v === f).length);
        expect(folds.size).toBe(n);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        const again = foldsOf([...names(n)].reverse(), k, seed);
        for (const [run, fold] of folds) expect(again.get(run)).toBe(fold);
      }),
    );
  });

  test('are others with another seed', () => {
    expect([...foldsOf(names(40), 5, 1)]).not.toEqual([...foldsOf(names(40), 5, 2)]);
  });

  test.each([1, 2.5, 9])('cannot be %d of 8 runs', (k) => {
    expect(() => foldsOf(names(8), k, 1)).toThrow(`${k} folds of 8 runs`);
  });

  test('refuse a run that is there twice', () => {
    expect(() => foldsOf([...names(3), ...names(1)], 2, 1)).toThrow('a run is there twice');
  });
});

describe('candidates', () => {
  test('are the declared settings, then each candidate over them; the same settings count once', () => {
    const hyperparameters = { hidden: '8', alpha: 0.1 };
    expect(
      candidatesOf({ hyperparameters, candidates: [{ alpha: 1 }, { alpha: 0.1 }, { alpha: 1, hidden: '8' }] }),
    ).toEqual([hyperparameters, { hidden: '8', alpha: 1 }]);
  });

  test('are the declared settings alone when none is named', () => {
    expect(candidatesOf({ hyperparameters: { alpha: 1 } })).toEqual([{ alpha: 1 }]);
  });
});

describe('the choice', () => {
  const of = (alpha: number, ...sums: number[]) => ({
    settings: { alpha },
    folds: sums.map((sumSquared) => ({ rows: 10, sumSquared })),
  });

  test('is the candidate with the smallest error over all rows', () => {
    expect(chooseCandidate([of(1, 90, 10), of(2, 40, 40), of(3, 10, 90)]).settings).toEqual({ alpha: 2 });
    expect(foldsRmse(of(1, 90, 10).folds)).toBeCloseTo(Math.sqrt(5), 12);
  });

  test('of equals is the one that was declared first', () => {
    expect(chooseCandidate([of(1, 40, 40), of(2, 40, 40)]).settings).toEqual({ alpha: 1 });
  });

  test('refuses a candidate without a finite error', () => {
    expect(() => chooseCandidate([of(1, Number.NaN)])).toThrow('{"alpha":1}: the folds gave no finite error');
  });

  test('needs a candidate', () => {
    expect(() => chooseCandidate([])).toThrow('no candidate');
  });
});
