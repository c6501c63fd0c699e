import fc from 'fast-check';
import { againstCapped, bootstrapOverUnits, nasaScore, rmse, type ScoredAnswer } from '../../../core/outcomes/score.ts';

const one = (predicted: number, truth: number, unit = 'a'): ScoredAnswer => ({ unit, predicted, truth });
const answers = fc
  .array(fc.tuple(fc.double({ min: 0, max: 125, noNaN: true }), fc.double({ min: 0, max: 150, noNaN: true })), {
    minLength: 1,
    maxLength: 20,
  })
  .map((pairs) => pairs.map(([p, t], i) => one(p, t, `u${i}`)));

describe('the NASA score', () => {
  test('is the published formula: 13 too early and 10 too late cost the same', () => {
    expect(nasaScore([one(37, 50)])).toBeCloseTo(Math.E - 1, 12);
    expect(nasaScore([one(60, 50)])).toBeCloseTo(Math.E - 1, 12);
  });

  test('is nothing where all is right, and a sum over units', () => {
    expect(nasaScore([one(50, 50)])).toBe(0);
    expect(nasaScore([one(60, 50, 'a'), one(60, 50, 'b')])).toBeCloseTo(2 * (Math.E - 1), 12);
  });

  test('costs more late than early by the same amount', () => {
    expect(nasaScore([one(70, 50)])).toBeGreaterThan(nasaScore([one(30, 50)]));
  });
});

describe('RMSE', () => {
  test('is the root of the mean of squares', () => {
    expect(rmse([one(3, 0, 'a'), one(0, 4, 'b')])).toBeCloseTo(Math.sqrt(12.5), 12);
  });
});

test('a capped truth is at most the cap, and the answer stays as it is', () => {
  expect(againstCapped([one(120, 140, 'a'), one(10, 20, 'b')], 125)).toEqual([one(120, 125, 'a'), one(10, 20, 'b')]);
});

describe('the bootstrap over units', () => {
  test('holds the value within its bounds, and gives the same for any order of units', () => {
    fc.assert(
      fc.property(answers, (list) => {
        const found = bootstrapOverUnits(list, rmse, 3, 200);
        expect(found.lower).toBeLessThanOrEqual(found.value);
        expect(found.upper).toBeGreaterThanOrEqual(found.value);
        expect(bootstrapOverUnits([...list].reverse(), rmse, 3, 200)).toEqual(found);
      }),
      { numRuns: 40 },
    );
  });

  test('is as wide as theory says: RMSE of n normal errors has a standard error of about σ/√(2n)', () => {
    const normal = (i: number): number => Math.sqrt(-2 * Math.log((i + 0.5) / 400)) * Math.cos(i * 2.399963);
    const list = Array.from({ length: 400 }, (_, i) => one(10 * normal(i), 0, `u${i}`));
    const found = bootstrapOverUnits(list, rmse, 1);
    const expected = (2 * 1.96 * found.value) / Math.sqrt(2 * 400);
    expect((found.upper - found.lower) / expected).toBeGreaterThan(0.8);
    expect((found.upper - found.lower) / expected).toBeLessThan(1.25);
  });

  test('needs an answer', () => {
    expect(() => bootstrapOverUnits([], rmse, 1)).toThrow('at least one unit');
  });

  test('refuses a unit that is there twice', () => {
    expect(() => bootstrapOverUnits([one(1, 1), one(2, 2)], rmse, 1)).toThrow('unit a is there twice');
  });

  test('refuses an answer that is no number', () => {
    expect(() => bootstrapOverUnits([one(Number.NaN, 1)], rmse, 1)).toThrow('unit a: expected finite numbers');
  });
});
