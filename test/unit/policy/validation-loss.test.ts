import fc from 'fast-check';
import { ValidationLoss } from '#core/contracts/evaluation.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { type RunLoss, validationLossOf } from '#core/policy/validation-loss.ts';

const of = (runs: readonly RunLoss[], seed = 1): ValidationLoss =>
  validationLossOf(runs, seededRandom(seed)) as ValidationLoss;
const runsOf = (losses: readonly number[]): RunLoss[] =>
  losses.map((x, i) => ({ run: `r${i}`, rows: 10, sumLoss: 10 * x }));

describe('loss of a model before it serves', () => {
  it('counts each run once, however long it is', () => {
    const runs = [
      { run: 'a', rows: 10, sumLoss: 1 },
      { run: 'b', rows: 1000, sumLoss: 300 },
    ];
    expect(of(runs).mean).toBeCloseTo(0.2, 12);
  });
  it('has bounds that rise as their chance falls, none below the mean or above 1', () => {
    const losses = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(losses, fc.integer(), (values, seed) => {
        const loss = ValidationLoss.parse(of(runsOf(values), seed));
        const all = [{ level: 0.05, upper: loss.upper }, ...(loss.bounds ?? [])];
        expect(all.map((b) => b.level)).toEqual([...all.map((b) => b.level)].sort((a, b) => b - a));
        expect(all.map((b) => b.upper)).toEqual([...all.map((b) => b.upper)].sort((a, b) => a - b));
        expect(loss.upper).toBeGreaterThanOrEqual(loss.mean);
        expect(all.at(-1)?.upper).toBeLessThanOrEqual(1);
      }),
      { numRuns: 20 },
    );
  });
  it('is the same in whatever order its runs come', () => {
    const runs = runsOf([0.1, 0.3, 0.05, 0.8, 0.2]);
    expect(of([...runs].reverse())).toEqual(of(runs));
  });
  it('has an interval of signed errors where every run has some, and none otherwise', () => {
    const signed = Array.from({ length: 40 }, (_, i) => ({
      run: `r${i}`,
      rows: 10,
      sumLoss: 1,
      sumError: i % 2 === 0 ? 3 : -1,
    }));
    const [low = 0, high = 0] = of(signed).error ?? [];
    // The mean is 0.1, its standard error 0.2/√39; the interval holds 90 %.
    expect(Math.abs(low - (0.1 - 1.685 * 0.032))).toBeLessThan(0.01);
    expect(Math.abs(high - (0.1 + 1.685 * 0.032))).toBeLessThan(0.01);
    expect(of([...signed, { run: 'x', rows: 1, sumLoss: 1 }])).not.toHaveProperty('error');
  });
  it('is nothing without a run', () => {
    expect(validationLossOf([], seededRandom(1))).toBeNull();
  });
});
