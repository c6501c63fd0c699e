import { type Comparison, EvaluationReport, GateVerdict } from '#core/contracts/evaluation.ts';
import { sayReason } from '#core/policy/gate.ts';
import { facts, figure, type Output, paint, say } from '../output.ts';
import type { World } from '../world.ts';

/** What the gate saw of a challenger, and what it said. */
export interface JudgedEvaluation {
  readonly gate: GateVerdict;
  /** Null when the record has none that can be read. */
  readonly report: EvaluationReport | null;
  readonly fixedAt: string | null;
}

/** The evaluation of the model that learnt from a snapshot; null when there is none, or none was judged. */
export const findEvaluation = async (world: World, snapshotDigest: string | null): Promise<JudgedEvaluation | null> => {
  if (snapshotDigest === null) return null;
  for (const { body } of await world.registry.list('evaluation', { limit: 500 })) {
    const report = EvaluationReport.safeParse(body['report']);
    const gate = GateVerdict.safeParse(body['verdict']);
    const raw = body['report'] as { snapshotDigest?: unknown } | undefined;
    if (raw?.snapshotDigest !== snapshotDigest || !gate.success) continue;
    const criteria = body['criteria'] as { fixedAt?: unknown } | undefined;
    return {
      gate: gate.data,
      report: report.success ? report.data : null,
      fixedAt: typeof criteria?.fixedAt === 'string' ? criteria.fixedAt : null,
    };
  }
  return null;
};

const sayComparison = (compared: Comparison | null | undefined, runs: string): string =>
  compared === null || compared === undefined
    ? `no ${runs}`
    : `${figure(compared.challenger.rmse)} against ${figure(compared.champion.rmse)} of the champion on ${compared.challenger.runs} ${runs}: ${figure(compared.ratio.point)} times, ${figure(compared.ratio.lower)} … ${figure(compared.ratio.upper)}`;

const reportFacts = (report: EvaluationReport): readonly (readonly [string, string])[] => {
  const { validationLoss: loss, expectedDisagreement: differs } = report;
  return [
    ...(report.champion === null
      ? []
      : [
          ['before', sayComparison(report.earlier, 'sealed runs the champion was judged on')] as const,
          ['since', sayComparison(report.since, 'sealed runs since the champion learnt')] as const,
        ]),
    ...(loss === null || loss === undefined
      ? []
      : [
          [
            'loss',
            `${figure(loss.mean, 3)} of 1 expected, at most ${figure(loss.upper, 3)} by ${loss.method ?? 'percentile bootstrap'} over ${loss.runs} runs`,
          ] as const,
        ]),
    ...(differs === null || differs === undefined
      ? []
      : [
          [
            'differs',
            `from the champion on at most ${figure(differs.share * 100, 0)} % of frames${differs.differsOn.length === 0 ? '' : `, and by design on ${differs.differsOn.join(', ')}`}`,
          ] as const,
        ]),
  ];
};

/** The verdict of the gate, criterion by criterion in words, and what it rests on. */
export const printEvaluation = (out: Output, { gate, report, fixedAt }: JudgedEvaluation): void => {
  say(
    out,
    `Gate: ${paint(out, gate.verdict === 'pass' ? 'green' : 'red', gate.verdict)}, admitted ${gate.admittedVariants.join(', ') || 'nothing'}${fixedAt === null ? '' : `, by criteria fixed at ${fixedAt}`}`,
  );
  for (const reason of gate.reasons)
    say(out, `${reason.holds ? paint(out, 'green', '✓') : paint(out, 'red', '✗')} ${sayReason(reason)}`);
  const more = report === null ? [] : reportFacts(report);
  if (more.length === 0) return;
  say(out);
  facts(out, more);
};
