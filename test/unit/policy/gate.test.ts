import fc from 'fast-check';
import type { Comparison, Estimate, EvaluationReport, Ratio } from '#core/contracts/evaluation.ts';
import { type GateCircumstances, judgeCandidate, sayVerdict } from '#core/policy/gate.ts';

const estimate = (rmse: number, more: Partial<Estimate> = {}): Estimate => ({
  rmse,
  lower: rmse * 0.9,
  upper: rmse * 1.1,
  runs: 10,
  rows: 900,
  ...more,
});
const ratio = (point: number, upper = point): Ratio => ({ point, lower: point * 0.9, upper });
const comparison = (of: Ratio, runs = 10): Comparison => ({
  challenger: estimate(8, { runs }),
  champion: estimate(8, { runs }),
  ratio: of,
});
const report = (fp32: Estimate, more: Partial<EvaluationReport> = {}): EvaluationReport => ({
  schema: 'evaluation-report/1',
  modelLine: 'a/b',
  snapshotDigest: `sha256:${'0'.repeat(64)}`,
  trainingJob: 'job',
  models: { fp32: `sha256:${'1'.repeat(64)}`, int8: `sha256:${'2'.repeat(64)}` },
  challenger: { fp32, int8: fp32 },
  parity: ratio(1),
  champion: null,
  championPackage: null,
  earlier: null,
  since: null,
  ...more,
});
/** A challenger that is fine by itself, beside a champion. */
const beside = (earlier: Comparison | null, since: Comparison | null): EvaluationReport =>
  report(estimate(8), { champion: estimate(8), championPackage: `sha256:${'3'.repeat(64)}`, earlier, since });
const criteria = {
  minTrainRuns: 20,
  minTestRuns: 8,
  maxRmse: 12,
  maxRmseOverChampion: 1.1,
  minSinceRuns: 8,
  maxRmseOverChampionSince: 1,
  maxVariantRmseRatio: 1.1,
};
const person: GateCircumstances = { trainRuns: 30, cause: 'person' };
const drift: GateCircumstances = { trainRuns: 30, cause: 'drift' };

describe('gate', () => {
  test('passes when every criterion holds, and admits both variants', () => {
    const verdict = judgeCandidate(report(estimate(8)), criteria, person);
    expect(verdict).toMatchObject({ verdict: 'pass', admittedVariants: ['fp32', 'int8'] });
    expect(sayVerdict(verdict)).toBe(
      'gate: pass; its error is at most 8.8 (12 allowed); the error of int8 is at most 1 times that of fp32 (1.1 allowed)',
    );
  });
  test('fails on the upper bound, not on the point', () => {
    expect(judgeCandidate(report(estimate(11.5, { upper: 12.5 })), criteria, person).verdict).toBe('fail');
  });
  test('fails when it may be worse than the champion, by more than the margin, on what the champion was judged on', () => {
    const verdict = judgeCandidate(beside(comparison(ratio(1.02, 1.125)), null), criteria, person);
    expect(verdict.verdict).toBe('fail');
    expect(sayVerdict(verdict)).toBe(
      "gate: fail; on earlier runs its error is at most 1.125 times the champion's (1.1 allowed)",
    );
  });
  test('is undecided with too few runs, however small the error', () => {
    expect(judgeCandidate(report(estimate(1, { runs: 7 })), criteria, person).verdict).toBe('undecided');
    const few = judgeCandidate(report(estimate(1)), criteria, { ...person, trainRuns: 19 });
    expect(few.verdict).toBe('undecided');
    expect(sayVerdict(few)).toBe('gate: undecided; it learnt from 19 runs (20 needed)');
  });
  test('a retrain for drift with a better challenger since the champion learnt passes', () => {
    const verdict = judgeCandidate(beside(comparison(ratio(1.05)), comparison(ratio(0.6, 0.8), 9)), criteria, drift);
    expect(verdict.verdict).toBe('pass');
    expect(sayVerdict(verdict)).toContain(
      "on runs since the champion learnt its error is at most 0.8 times the champion's (1 allowed)",
    );
  });
  test('a retrain for drift whose challenger is not surely better since the champion learnt fails', () => {
    const verdict = judgeCandidate(beside(comparison(ratio(0.9)), comparison(ratio(0.9, 1.2), 9)), criteria, drift);
    expect(verdict.verdict).toBe('fail');
    expect(verdict.reasons).toContainEqual({
      criterion: 'maxRmseOverChampionSince',
      holds: false,
      observed: 1.2,
      limit: 1,
    });
  });
  test.each([
    ['none', null, 0],
    ['too few', comparison(ratio(0.2), 7), 7],
  ])('a retrain for drift with %s of the runs since is undecided', (_, since, runs) => {
    const verdict = judgeCandidate(beside(comparison(ratio(1)), since), criteria, drift);
    expect(verdict.verdict).toBe('undecided');
    expect(sayVerdict(verdict)).toBe(`gate: undecided; ${runs} sealed runs since the champion learnt (8 needed)`);
  });
  test('any other retrain is held to runs since the champion learnt once there are enough', () => {
    const worse = ratio(1.3);
    expect(judgeCandidate(beside(comparison(ratio(1)), comparison(worse, 7)), criteria, person).verdict).toBe('pass');
    expect(judgeCandidate(beside(comparison(ratio(1)), comparison(worse, 8)), criteria, person).verdict).toBe('fail');
  });
  test('without any run to compare with the champion on it is undecided', () => {
    const verdict = judgeCandidate(beside(null, comparison(ratio(0.5), 3)), criteria, person);
    expect(sayVerdict(verdict)).toBe('gate: undecided; 0 sealed runs to compare it with the champion on (1 needed)');
    expect(judgeCandidate(beside(null, comparison(ratio(0.5), 8)), criteria, person).verdict).toBe('pass');
  });
  test.each([
    ['may be', { parity: ratio(1.05, 1.2) }],
    ['was not shown not to be', { parity: undefined }],
  ])('does not admit an int8 that %s too far from fp32, and passes without it', (_, more) => {
    const verdict = judgeCandidate(report(estimate(8), more as Partial<EvaluationReport>), criteria, person);
    expect(verdict).toMatchObject({ verdict: 'pass', admittedVariants: ['fp32'] });
    expect(sayVerdict(verdict)).toMatch(/; int8 is not admitted$/);
  });
  test('never passes an error that is no number', () => {
    const nan = estimate(Number.NaN, { upper: Number.NaN });
    expect(judgeCandidate(report(nan), criteria, person).verdict).toBe('fail');
    expect(judgeCandidate(beside(comparison(ratio(Number.NaN)), null), criteria, person).verdict).toBe('fail');
  });
  test('a worse challenger never gets a better verdict', () => {
    const rank = { fail: 0, undecided: 1, pass: 2 };
    const size = fc.double({ min: 0.1, max: 3, noNaN: true });
    fc.assert(
      fc.property(
        fc.record({ rmse: fc.double({ min: 1, max: 20, noNaN: true }), earlier: size, since: size, parity: size }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        fc.constantFrom(person, drift),
        fc.integer({ min: 1, max: 20 }),
        (of, worse, circumstances, runs) => {
          const verdict = (by: number) =>
            judgeCandidate(
              {
                ...beside(comparison(ratio(of.earlier * by)), comparison(ratio(of.since * by), runs)),
                challenger: { fp32: estimate(of.rmse * by), int8: estimate(of.rmse * by) },
                parity: ratio(of.parity * by),
              },
              criteria,
              circumstances,
            );
          const [good, bad] = [verdict(1), verdict(worse)];
          return rank[bad.verdict] <= rank[good.verdict] && bad.admittedVariants.length <= good.admittedVariants.length;
        },
      ),
    );
  });
});
