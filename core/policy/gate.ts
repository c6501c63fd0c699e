import type { EvaluationReport, GateReason, GateVerdict } from '../contracts/evaluation.ts';
import type { RetrainRecord } from '../contracts/retrain.ts';
import type { UseCase } from '../contracts/use-case.ts';

/** What the verdict depends on beside the report. */
export interface GateCircumstances {
  readonly trainRuns: number;
  /** Why the challenger was made: one that answers drift must prove itself on what came since. */
  readonly cause: RetrainRecord['cause'];
}

const atLeast = (criterion: string, observed: number, limit: number): GateReason => ({
  criterion,
  holds: observed >= limit,
  observed,
  limit,
});
// Written so that NaN never holds.
const atMost = (criterion: string, observed: number, limit: number): GateReason => ({
  criterion,
  holds: observed <= limit,
  observed,
  limit,
});

/**
 * May the challenger be offered for release? Every criterion of the use case, fixed before the test, must hold, each on
 * its upper bound. As all of them must hold, each is tested at its own level (intersection-union test, Berger 1982).
 * - Too little evidence: `undecided`, whatever the errors say.
 * - With a champion the challenger is not worse, by more than the declared margin, on runs the champion was judged on
 *   before; and as good as `maxRmseOverChampionSince` says on those since. A retrain for drift needs `minSinceRuns` of
 *   the latter; any other is held to them only when there are so many.
 * - int8 that is too far from fp32 is not admitted; that alone does not fail the challenger.
 */
export const judgeCandidate = (
  report: EvaluationReport,
  criteria: UseCase['gate'],
  { trainRuns, cause }: GateCircumstances,
): GateVerdict => {
  const { fp32 } = report.challenger;
  const evidence = [
    atLeast('minTrainRuns', trainRuns, criteria.minTrainRuns),
    atLeast('minTestRuns', fp32.runs, criteria.minTestRuns),
  ];
  const quality = [atMost('maxRmse', fp32.upper, criteria.maxRmse)];
  if (report.champion !== null) {
    const earlier = report.earlier ?? null;
    const since = report.since ?? null;
    const sinceRuns = since?.challenger.runs ?? 0;
    if (cause === 'drift') evidence.push(atLeast('minSinceRuns', sinceRuns, criteria.minSinceRuns));
    const sinceCounts = since !== null && sinceRuns >= criteria.minSinceRuns;
    if (earlier === null && !sinceCounts) evidence.push(atLeast('minComparedRuns', 0, 1));
    if (earlier !== null)
      quality.push(atMost('maxRmseOverChampion', earlier.ratio.upper, criteria.maxRmseOverChampion));
    if (sinceCounts)
      quality.push(atMost('maxRmseOverChampionSince', since.ratio.upper, criteria.maxRmseOverChampionSince));
  }
  const parity = atMost('maxVariantRmseRatio', report.parity?.upper ?? Number.MAX_VALUE, criteria.maxVariantRmseRatio);
  const verdict = evidence.some((r) => !r.holds) ? 'undecided' : quality.every((r) => r.holds) ? 'pass' : 'fail';
  return {
    schema: 'gate-verdict/1',
    verdict,
    admittedVariants: verdict !== 'pass' ? [] : parity.holds ? ['fp32', 'int8'] : ['fp32'],
    reasons: [...evidence, ...quality, parity],
  };
};

const number = (n: number): string => (n >= Number.MAX_VALUE ? 'immeasurably' : String(Number(n.toPrecision(4))));

const SAYS: Readonly<Record<string, (observed: string, limit: string) => string>> = {
  minTrainRuns: (o, l) => `it learnt from ${o} runs (${l} needed)`,
  minTestRuns: (o, l) => `it was judged on ${o} sealed runs (${l} needed)`,
  minComparedRuns: (o, l) => `${o} sealed runs to compare it with the champion on (${l} needed)`,
  minSinceRuns: (o, l) => `${o} sealed runs since the champion learnt (${l} needed)`,
  maxRmse: (o, l) => `its error is at most ${o} (${l} allowed)`,
  maxRmseOverChampion: (o, l) => `on earlier runs its error is at most ${o} times the champion's (${l} allowed)`,
  maxRmseOverChampionSince: (o, l) =>
    `on runs since the champion learnt its error is at most ${o} times the champion's (${l} allowed)`,
  maxVariantRmseRatio: (o, l) => `the error of int8 is at most ${o} times that of fp32 (${l} allowed)`,
};

/** One criterion in words, with what was seen and its limit. */
export const sayReason = ({ criterion, observed, limit }: GateReason): string =>
  SAYS[criterion]?.(number(observed), number(limit)) ?? `${criterion} ${number(observed)} (limit ${number(limit)})`;

/** The verdict in one line for people: what does not hold, or by how much every limit holds. */
export const sayVerdict = (verdict: GateVerdict): string => {
  const failing = verdict.reasons.filter((r) => !r.holds && r.criterion !== 'maxVariantRmseRatio');
  const shown = failing.length > 0 ? failing : verdict.reasons.filter((r) => r.criterion.startsWith('max'));
  const variants =
    verdict.verdict === 'pass' && !verdict.admittedVariants.includes('int8') ? '; int8 is not admitted' : '';
  return `gate: ${verdict.verdict}; ${shown.map(sayReason).join('; ')}${variants}`;
};
