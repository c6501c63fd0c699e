import { type EvaluationReport, EvaluationReport as Report } from '#core/contracts/evaluation.ts';
import type { RetrainRecord } from '#core/contracts/retrain.ts';
import { StartError } from '../errors.ts';
import { followRetrain } from '../follow.ts';
import type { Plant } from '../plant-context.ts';
import { awsLog, until } from '../wait.ts';

/** Seconds from an instant of the monotonic clock until the retrain is on record as running. */
export const secondsToStart = async (plant: Plant, requestId: string, from: number): Promise<number> => {
  await until(async () => ((await plant.registry.body('retrain', requestId)) === null ? null : true), {
    signal: plant.signal,
    everyMs: 200,
    seconds: 60,
    late: () =>
      new StartError(
        `the judge asked for retrain ${requestId}, and nothing began within 60 s`,
        'look for a failed rule target or Lambda in the log; then start again',
        awsLog(plant),
      ),
  });
  return (performance.now() - from) / 1000;
};

/** The retrain to its end, whatever that is. */
export const endOfRetrain = (plant: Plant, requestId: string): Promise<RetrainRecord> =>
  followRetrain(plant, requestId, 900);

/** How challenger and champion met; null when no evaluation of that snapshot is on record. */
export const evaluationOf = async (plant: Plant, snapshotDigest: string | null): Promise<EvaluationReport | null> => {
  for (const body of await plant.registry.bodies('evaluation')) {
    const report = Report.safeParse(body['report'] ?? body);
    if (report.success && report.data.snapshotDigest === snapshotDigest) return report.data;
  }
  return null;
};

/** A comparison as people read it. */
export const sayComparison = (report: EvaluationReport): string => {
  const say = (name: string, c: EvaluationReport['since']): string[] =>
    c === null || c === undefined
      ? []
      : [
          `${name} ${c.challenger.rmse.toFixed(1)} against ${c.champion.rmse.toFixed(1)} on ${c.challenger.runs} sealed runs`,
        ];
  return [...say('since', report.since), ...say('earlier', report.earlier)].join(', ');
};
