import type { EvaluationReport } from '#core/contracts/evaluation.ts';
import { judgeCandidate } from '#core/policy/gate.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const LINE = 'predictive-maintenance/plant-a';
const SNAPSHOT = digest('b');
const estimate = (rmse: number, runs: number) => ({ rmse, lower: rmse - 1, upper: rmse + 1, runs, rows: 900 });
const report: EvaluationReport = {
  schema: 'evaluation-report/1',
  modelLine: LINE,
  snapshotDigest: SNAPSHOT,
  trainingJob: 'job-2',
  models: { fp32: digest('1'), int8: digest('2') },
  challenger: { fp32: estimate(8, 22), int8: estimate(8, 22) },
  parity: { point: 1, lower: 1, upper: 1.01 },
  champion: estimate(12, 22),
  championPackage: digest('3'),
  earlier: {
    challenger: estimate(8, 13),
    champion: estimate(8, 13),
    ratio: { point: 1, lower: 0.95, upper: 1.05 },
  },
  since: { challenger: estimate(8, 9), champion: estimate(16, 9), ratio: { point: 0.5, lower: 0.4, upper: 0.7 } },
  validationLoss: { mean: 0.101, upper: 0.125, runs: 22 },
  expectedDisagreement: { share: 0.06, differsOn: ['spindle-103'] },
};
const criteria = {
  minTrainRuns: 20,
  minTestRuns: 8,
  maxRmse: 12,
  maxRmseOverChampion: 1.1,
  minSinceRuns: 8,
  maxRmseOverChampionSince: 1,
  maxVariantRmseRatio: 1.1,
};
const retrain = {
  class: 'retrain' as const,
  id: 'retrain-2',
  body: {
    schema: 'retrain/1',
    requestId: 'retrain-2',
    execution: 'arn:x',
    modelLine: LINE,
    site: 'plant-a',
    cause: 'drift',
    requestedBy: 'outcome-joiner',
    reason: 'losses',
    status: 'candidate',
    step: 'Register',
    detail: 'gate: pass',
    snapshotDigest: SNAPSHOT,
    packageDigest: null,
  },
};
const evaluation = (of: unknown) => ({
  class: 'evaluation' as const,
  id: digest('9'),
  body: {
    schema: 'evaluation/1',
    report: of as Record<string, unknown>,
    verdict: judgeCandidate(report, criteria, { trainRuns: 30, cause: 'drift' }),
    criteria: { ...criteria, useCaseDigest: digest('4'), fixedAt: '2026-01-01T00:00:00.000Z' },
  },
});

describe('explain a retrain that was judged', () => {
  const explain = async (of: unknown, ...options: string[]): Promise<string> =>
    (
      await runWith(fakeWorld({ registry: memoryRegistry([retrain, evaluation(of)]) }), [
        'explain',
        'retrain-2',
        ...options,
      ])
    ).out;
  test('tells each criterion in words, and when it was fixed', async () => {
    const out = await explain(report);
    expect(out).toContain('Gate: pass, admitted fp32, int8, by criteria fixed at 2026-01-01T00:00:00.000Z');
    expect(out).toContain(
      "on runs since the champion learnt its error is at most 0.7 times the champion's (1 allowed)",
    );
  });
  test('tells what was known before and what came since, the loss and the disagreement to expect', async () => {
    const out = (await explain(report)).replaceAll(/\s+/g, ' ');
    expect(out).toContain(
      '8.00 against 16.00 of the champion on 9 sealed runs since the champion learnt: 0.50 times, 0.40 … 0.70',
    );
    expect(out).toContain('8.00 against 8.00 of the champion on 13 sealed runs the champion was judged on');
    expect(out).toContain('0.101 of 1 expected, at most 0.125 by percentile bootstrap over');
    expect(out).toContain('on at most 6 % of frames, and by design on spindle-103');
  });
  test('tells that nothing came since', async () => {
    expect(await explain({ ...report, since: null })).toContain('no sealed runs since the champion learnt');
  });
  test('tells the verdict also where the report is of a shape it does not know', async () => {
    const out = await explain({ snapshotDigest: SNAPSHOT });
    expect(out).toContain('Gate: pass');
    expect(out).not.toContain('of 1 expected');
  });
  test('has the report with --json', async () => {
    expect(JSON.parse(await explain(report, '--json'))).toMatchObject({
      gate: { verdict: 'pass' },
      evaluation: { since: { ratio: { upper: 0.7 } } },
    });
  });
});
