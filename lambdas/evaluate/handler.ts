import { z } from 'zod';
import { DatasetSnapshot, MaterialiseItem } from '#core/contracts/dataset-snapshot.ts';
import { parseAs } from '#core/contracts/errors.ts';
import type { ShardErrors } from '#core/contracts/evaluation.ts';
import { FeatureRow } from '#core/contracts/feature-set.ts';
import { artifactKeys, lakeKeys } from '#core/contracts/lake.ts';
import { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { materialiseRun } from '#core/features/engine/rows.ts';
import { readParquet } from '#core/lake/parquet.ts';
import { boundedLoss } from '#core/outcomes/loss.ts';
import { Refused } from '../shared/errors.ts';
import { framesOf } from '../shared/frames.ts';
import { getJson, type ObjectStore, putJson, sha256 } from '../shared/object-store.ts';
import { type EvaluationShard, RetrainRun, SnapshotAnswer } from '../shared/retrain-run.ts';

/** A model as bytes, run on many rows at once by the engine that devices use. */
export type RunModel = (model: Uint8Array, x: Float32Array, width: number) => Promise<Float32Array>;

export interface Deps {
  readonly lake: ObjectStore;
  readonly artifacts: ObjectStore;
  readonly runModel: RunModel;
}

const Input = z.strictObject({ run: RetrainRun, snapshot: SnapshotAnswer, item: MaterialiseItem });

const Row = FeatureRow.omit({ sourceTime: true });
type Row = z.infer<typeof Row>;

/** What the champion answers, by row; see `rowKey`. */
type Answers = ReadonlyMap<string, number>;

const rowKey = (row: Row): string => `${row.asset}/${row.run}/${row.index}`;

/**
 * Sums of squared errors, of bounded losses and of disagreements with the champion per run; the last row of a run is
 * where its life ends. Where the champion has no answer the two disagree.
 * @param model digest of the file that answered.
 * @param champion null where there is none, or its own errors are asked for.
 * @throws {Refused} when an answer is no number.
 */
export const errorsOf = (
  variant: ShardErrors['variant'],
  model: string,
  rows: readonly Row[],
  answers: ArrayLike<number>,
  { cap, tolerance }: SnapshotAnswer['compare'],
  champion: Answers | null = null,
): ShardErrors => {
  type Sums = ShardErrors['perRun'][number] & {
    lastIndex: number;
    sumLoss: number;
    sumError: number;
    disagreeing: number;
  };
  const runs = new Map<string, Sums>();
  for (const [i, row] of rows.entries()) {
    const answer = answers[i];
    if (answer === undefined || !Number.isFinite(answer))
      throw new Refused(
        `${variant} answers ${answer} for ${row.asset}/${row.run} frame ${row.index}: a model that does not always answer a number is not released`,
      );
    const label = row.label as number;
    const error = answer - label;
    const key = `${row.asset}/${row.run}`;
    const sums = runs.get(key) ?? {
      run: key,
      rows: 0,
      sumSquared: 0,
      sumLoss: 0,
      sumError: 0,
      disagreeing: 0,
      lastError: 0,
      lastIndex: 0,
    };
    sums.rows += 1;
    sums.sumSquared += error * error;
    sums.sumLoss += boundedLoss(answer, label, cap);
    sums.sumError += Math.min(1, Math.max(-1, error / cap));
    const theirs = champion?.get(rowKey(row));
    if (theirs === undefined || Math.abs(answer - theirs) > tolerance) sums.disagreeing += 1;
    if (row.index > sums.lastIndex) {
      sums.lastIndex = row.index;
      sums.lastError = error;
    }
    runs.set(key, sums);
  }
  return {
    variant,
    model,
    rows: rows.length,
    perRun: [...runs.values()].map(({ lastIndex: _, disagreeing, ...run }) =>
      champion === null ? run : { ...run, disagreeing },
    ),
  };
};

/**
 * Errors of challenger (both variants) and champion on one part of the sealed runs. The champion sees its own features:
 * where its feature set is another, they are computed from the same raw objects.
 * A model that answers no number is refused in the shard. @throws {Error} when a part was not materialised.
 */
export const makeHandler = (deps: Deps) => {
  const predict = async (model: Uint8Array, rows: readonly Row[], width: number): Promise<Float32Array> => {
    const x = new Float32Array(rows.length * width);
    for (const [i, row] of rows.entries()) {
      if (row.x.length !== width)
        throw new Error(
          `a row has ${row.x.length} features, the model expects ${width}: materialise the snapshot again`,
        );
      x.set(row.x, i * width);
    }
    return rows.length === 0 ? x : deps.runModel(model, x, width);
  };

  const championRows = async (manifest: ModelPackageManifest, item: MaterialiseItem): Promise<readonly Row[]> => {
    const snapshot = parseAs(DatasetSnapshot, await getJson(deps.lake, item.snapshotKey), item.snapshotKey);
    const wanted = new Set(item.runs);
    const rows: Row[] = [];
    for (const run of snapshot.runs.filter((r) => wanted.has(`${r.asset}/${r.run}`))) {
      const frames = (await Promise.all(run.objects.map((ref) => framesOf(deps.lake, ref)))).flat();
      // The label is the challenger's: both are asked the same question.
      rows.push(
        ...materialiseRun(
          { featureSet: manifest.featureSet, signals: manifest.signals, label: snapshot.label },
          frames,
          run.endedAt,
        ),
      );
    }
    return rows;
  };

  const askChampion = async (
    champion: NonNullable<RetrainRun['champion']>,
    snapshot: SnapshotAnswer,
    item: MaterialiseItem,
    challengerRows: readonly Row[],
  ): Promise<{ errors: ShardErrors; answers: Answers }> => {
    const prefix = champion.packagePrefix;
    const manifest = parseAs(
      ModelPackageManifest,
      await getJson(deps.artifacts, `${prefix}manifest.json`),
      `manifest of the champion ${champion.packageDigest}`,
    );
    const same = manifest.featureSetDigest === snapshot.featureSetDigest;
    const rows = same ? challengerRows : await championRows(manifest, item);
    const file = manifest.variants.find((v) => v.name === 'fp32')?.file ?? 'model.fp32.onnx';
    const model = await deps.artifacts.get(`${prefix}${file}`);
    const answers = await predict(model, rows, manifest.featureSet.features.length);
    return {
      errors: errorsOf('champion', sha256(model), rows, answers, snapshot.compare),
      answers: new Map(rows.map((row, i) => [rowKey(row), answers[i] as number])),
    };
  };

  const evaluatePart = async ({ run, snapshot, item }: z.infer<typeof Input>) => {
    const key = lakeKeys.features({
      featureSet: snapshot.featureSetDigest,
      snapshot: snapshot.digest,
      split: 'test',
      part: item.part,
    });
    const all = await readParquet(await deps.lake.get(key));
    const rows = all
      .map((r) =>
        parseAs(Row, { asset: r['asset'], run: r['run'], index: r['index'], label: r['label'], x: r['x'] }, key),
      )
      .filter((r) => r.label !== null);
    const width = rows[0]?.x.length ?? 0;
    const champion = run.champion === null ? null : await askChampion(run.champion, snapshot, item, rows);
    const shards: ShardErrors[] = [];
    for (const variant of ['fp32', 'int8'] as const) {
      const model = await deps.artifacts.get(`${snapshot.candidatePrefix}model.${variant}.onnx`);
      const answers = await predict(model, rows, width);
      shards.push(errorsOf(variant, sha256(model), rows, answers, snapshot.compare, champion?.answers ?? null));
    }
    return { rows: rows.length, shards: champion === null ? shards : [...shards, champion.errors] };
  };

  return async (event: unknown): Promise<{ part: number; rows: number }> => {
    const input = parseAs(Input, event, 'input of evaluate');
    const { modelLine, requestId } = input.run.request;
    let shard: EvaluationShard;
    let rows = 0;
    try {
      const result = await evaluatePart(input);
      rows = result.rows;
      shard = { shards: result.shards, refused: null };
    } catch (error) {
      // The map that runs the parts forgets a part's own error: the refusal travels in the shard, the report says no.
      if (!(error instanceof Refused)) throw error;
      shard = { shards: [], refused: error.message };
    }
    await putJson(deps.artifacts, artifactKeys.evaluationShard(modelLine, requestId, input.item.part), shard);
    return { part: input.item.part, rows };
  };
};
