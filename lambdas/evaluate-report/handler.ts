import { z } from 'zod';
import { DatasetSnapshot, MaterialiseItem, type Split } from '#core/contracts/dataset-snapshot.ts';
import { parseAs } from '#core/contracts/errors.ts';
import type { EvaluationReport, ShardErrors } from '#core/contracts/evaluation.ts';
import { artifactKeys, lakeKeys } from '#core/contracts/lake.ts';
import { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { bootstrapRmse, compareModels, compareRmse, seededRandom } from '#core/policy/bootstrap.ts';
import { expectDisagreement } from '#core/policy/disagreement.ts';
import { validationLossOf } from '#core/policy/validation-loss.ts';
import { Refused } from '../shared/errors.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';
import { EvaluationShard, type ReportAnswer, RetrainRun, SnapshotAnswer, TrainAnswer } from '../shared/retrain-run.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly work: ObjectStore;
  readonly artifacts: ObjectStore;
}

const Input = z.strictObject({ run: RetrainRun, snapshot: SnapshotAnswer, train: TrainAnswer });

type PerRun = ShardErrors['perRun'][number];

/**
 * Adds up the shards: RMSE with bounds of each variant, and of the champion on the same runs. Sealed runs that the
 * champion was judged on too are `earlier`; those that its snapshot does not have at all ended, or became known, `since`
 * it learnt. Runs that the champion learnt from are left out of everything, so that neither model is judged on what it
 * has seen.
 * @throws {Refused} when a part was refused, parts judged different bytes, or no run is left to compare on. @throws {Error} when a shard is missing.
 */
export const makeHandler = (deps: Deps) => {
  const knownToChampion = async (run: RetrainRun): Promise<ReadonlyMap<string, Split>> => {
    if (run.champion === null) return new Map();
    const manifest = parseAs(
      ModelPackageManifest,
      await getJson(deps.artifacts, `${run.champion.packagePrefix}manifest.json`),
      `manifest of the champion ${run.champion.packageDigest}`,
    );
    const key = lakeKeys.snapshot(manifest.snapshotDigest);
    const theirs = parseAs(DatasetSnapshot, await getJson(deps.lake, key), key);
    return new Map(theirs.runs.map((r) => [`${r.asset}/${r.run}`, r.split]));
  };

  return async (event: unknown): Promise<ReportAnswer> => {
    const { run, snapshot, train } = parseAs(Input, event, 'input of evaluate-report');
    const { modelLine, requestId } = run.request;
    const items = Buffer.from(await deps.work.get(snapshot.testItemsKey))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => parseAs(MaterialiseItem, JSON.parse(line), snapshot.testItemsKey));
    const known = await knownToChampion(run);
    const learnt = (r: PerRun): boolean => known.has(r.run) && known.get(r.run) !== 'test';
    const byVariant = new Map<ShardErrors['variant'], PerRun[]>();
    const models = new Map<ShardErrors['variant'], string>();
    for (const { part } of items) {
      const key = artifactKeys.evaluationShard(modelLine, requestId, part);
      const { shards, refused } = parseAs(EvaluationShard, await getJson(deps.artifacts, key), key);
      if (refused !== null) throw new Refused(refused);
      for (const shard of shards) {
        const judged = models.get(shard.variant) ?? shard.model;
        if (judged !== shard.model)
          throw new Refused(
            `model.${shard.variant}.onnx was ${judged} in one part of the evaluation and ${shard.model} in another: something wrote to the candidate meanwhile; ask for a new retrain`,
          );
        models.set(shard.variant, judged);
        byVariant.set(shard.variant, [
          ...(byVariant.get(shard.variant) ?? []),
          ...shard.perRun.filter((r) => !learnt(r)),
        ]);
      }
    }
    const runsOf = (variant: ShardErrors['variant']): readonly PerRun[] => byVariant.get(variant) ?? [];
    const runs = runsOf('fp32');
    if (runs.length === 0)
      throw new Refused(
        known.size === 0
          ? 'no sealed run has a row to judge on; its frames may all be bad: look at the quarantine'
          : 'the champion learnt from every sealed run: nothing fair to compare on; wait for new runs to end',
      );
    // Resampled by the same numbers each time: the interval is a function of the evidence.
    const seed = Number.parseInt(snapshot.digest.slice(7, 15), 16);
    const estimate = (variant: ShardErrors['variant']) => bootstrapRmse(runsOf(variant), seededRandom(seed));
    const isSince = (r: PerRun): boolean => !known.has(r.run);
    const compare = (which: (r: PerRun) => boolean) =>
      run.champion === null ? null : compareModels(runs.filter(which), runsOf('champion').filter(which), seed);
    const report: EvaluationReport = {
      schema: 'evaluation-report/1',
      modelLine,
      snapshotDigest: snapshot.digest,
      trainingJob: train.job,
      models: { fp32: models.get('fp32') as string, int8: models.get('int8') as string },
      challenger: { fp32: estimate('fp32'), int8: estimate('int8') },
      parity: compareRmse(runsOf('int8'), runs, seed).ratio,
      champion: run.champion === null ? null : estimate('champion'),
      championPackage: run.champion?.packageDigest ?? null,
      earlier: compare((r) => !isSince(r)),
      since: compare(isSince),
      validationLoss: validationLossOf(
        runs.flatMap(({ sumLoss, ...r }) => (sumLoss === undefined ? [] : [{ ...r, sumLoss }])),
        seededRandom(seed),
      ),
      expectedDisagreement:
        run.champion === null
          ? null
          : expectDisagreement(
              runs.flatMap((r) =>
                r.disagreeing === undefined ? [] : [{ ...r, disagreeing: r.disagreeing, since: isSince(r) }],
              ),
              snapshot.compare.referenceUpTo,
              seed,
            ),
    };
    const key = artifactKeys.evaluation(modelLine, requestId);
    await deps.artifacts.put(key, Buffer.from(canonicalJson(report)), 'application/json');
    return { key, digest: digestOf(report) };
  };
};
