import fc from 'fast-check';
import type { Estimate, EvaluationReport } from '#core/contracts/evaluation.ts';
import { bootstrapRmse, seededRandom } from '#core/policy/bootstrap.ts';
import { judgeCandidate, sayVerdict } from '#core/policy/gate.ts';

const estimate = (rmse: number, more: Partial<Estimate> = {}): Estimate => ({
  rmse,
  lower: rmse * 0.9,
  upper: rmse * 1.1,
  runs: 10,
  rows: 900,
  ...more,
});
const report = (fp32: Estimate, int8 = fp32, champion: Estimate | null = null): EvaluationReport => ({
  schema: 'evaluation-report/1',
  modelLine: 'a/b',
  snapshotDigest: `sha256:${'0'.repeat(64)}`,
  trainingJob: 'job',
  models: { fp32: `sha256:${'1'.repeat(64)}`, int8: `sha256:${'2'.repeat(64)}` },
  challenger: { fp32, int8 },
  champion,
  championPackage: null,
});
const criteria = {
  minTrainRuns: 20,
  minTestRuns: 8,
  maxRmse: 12,
  maxRmseOverChampion: 1.1,
  minSinceRuns: 8,
  maxRmseOverChampionSince: 1,
  maxVariantRmseRatio: 1.1,
};

describe('gate', () => {
  test('passes when every criterion holds, and admits both variants', () => {
    const verdict = judgeCandidate(report(estimate(8)), criteria, 30);
    expect(verdict).toMatchObject({ verdict: 'pass', admittedVariants: ['fp32', 'int8'] });
  });
  test('fails on the upper bound, not on the point', () => {
    expect(judgeCandidate(report(estimate(11.5, { upper: 12.5 })), criteria, 30).verdict).toBe('fail');
  });
  test('fails when the champion is better by more than is allowed', () => {
    const verdict = judgeCandidate(report(estimate(9), estimate(9), estimate(8)), criteria, 30);
    expect(verdict.verdict).toBe('fail');
    expect(sayVerdict(verdict)).toBe('gate: fail; maxRmseOverChampion 1.125 misses 1.1');
  });
  test('is undecided with too few runs, however small the error', () => {
    expect(judgeCandidate(report(estimate(1, { runs: 7 })), criteria, 30).verdict).toBe('undecided');
    expect(judgeCandidate(report(estimate(1)), criteria, 19).verdict).toBe('undecided');
  });
  test('does not admit an int8 that is too far from fp32, and passes without it', () => {
    expect(judgeCandidate(report(estimate(8), estimate(9)), criteria, 30)).toMatchObject({
      verdict: 'pass',
      admittedVariants: ['fp32'],
    });
  });
  test('never passes an error that is no number', () => {
    const nan = estimate(Number.NaN, { upper: Number.NaN });
    expect(judgeCandidate(report(nan), criteria, 30).verdict).toBe('fail');
  });
  test('a worse challenger never gets a better verdict', () => {
    const rank = { fail: 0, undecided: 1, pass: 2 };
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 5, noNaN: true }),
        fc.double({ min: 1, max: 20, noNaN: true }),
        (rmse, worse, champion) => {
          const good = judgeCandidate(report(estimate(rmse), estimate(rmse), estimate(champion)), criteria, 30);
          const bad = judgeCandidate(
            report(estimate(rmse + worse), estimate(rmse + worse), estimate(champion)),
            criteria,
            30,
          );
          return rank[bad.verdict] <= rank[good.verdict];
        },
      ),
    );
  });
});

describe('bootstrap of RMSE', () => {
  const runs = Array.from({ length: 12 }, (_, i) => ({ run: `r${i}`, rows: 50 + i, sumSquared: (50 + i) * (i + 1) }));
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
});
