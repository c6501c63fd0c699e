import type { EvaluationReport, GateVerdict } from '../contracts/evaluation.ts';
import type { UseCase } from '../contracts/use-case.ts';

/**
 * May the challenger be offered for release? Every criterion of the use case, fixed before the test, must hold.
 * Too few runs to judge: `undecided`, whatever the errors say. The error must hold on the upper bound, not the point.
 * int8 that is too far from fp32 is not admitted; that alone does not fail the challenger.
 */
export const judgeCandidate = (report: EvaluationReport, criteria: UseCase['gate'], trainRuns: number): GateVerdict => {
  const { fp32, int8 } = report.challenger;
  const atLeast = (criterion: string, observed: number, limit: number) => ({
    criterion,
    holds: observed >= limit,
    observed,
    limit,
  });
  // Written so that NaN never holds.
  const atMost = (criterion: string, observed: number, limit: number) => ({
    criterion,
    holds: observed <= limit,
    observed,
    limit,
  });
  const evidence = [
    atLeast('minTrainRuns', trainRuns, criteria.minTrainRuns),
    atLeast('minTestRuns', fp32.runs, criteria.minTestRuns),
  ];
  const quality = [
    atMost('maxRmse', fp32.upper, criteria.maxRmse),
    ...(report.champion === null
      ? []
      : [atMost('maxRmseOverChampion', ratio(fp32.rmse, report.champion.rmse), criteria.maxRmseOverChampion)]),
  ];
  const parity = atMost('maxVariantRmseRatio', ratio(int8.rmse, fp32.rmse), criteria.maxVariantRmseRatio);
  const verdict = evidence.some((r) => !r.holds) ? 'undecided' : quality.every((r) => r.holds) ? 'pass' : 'fail';
  return {
    schema: 'gate-verdict/1',
    verdict,
    admittedVariants: verdict !== 'pass' ? [] : parity.holds ? ['fp32', 'int8'] : ['fp32'],
    reasons: [...evidence, ...quality, parity],
  };
};

/** Two perfect models are as good as each other; a perfect one beats any other beyond measure. */
const ratio = (a: number, b: number): number => (b > 0 ? a / b : a === 0 ? 1 : Number.MAX_VALUE);

/** The verdict in one line for people, the criteria that do not hold first. */
export const sayVerdict = (verdict: GateVerdict): string => {
  const number = (n: number): string => String(Number(n.toPrecision(4)));
  const failing = verdict.reasons.filter((r) => !r.holds && r.criterion !== 'maxVariantRmseRatio');
  const shown = failing.length > 0 ? failing : verdict.reasons;
  return `gate: ${verdict.verdict}; ${shown
    .map((r) => `${r.criterion} ${number(r.observed)} ${r.holds ? 'holds' : 'misses'} ${number(r.limit)}`)
    .join(', ')}`;
};
