import { DatasetSnapshot, MaterialiseItem } from '#core/contracts/dataset-snapshot.ts';
import { parseAs } from '#core/contracts/errors.ts';
import type { FeatureRow } from '#core/contracts/feature-set.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { materialiseRun } from '#core/features/engine/rows.ts';
import { type Column, writeParquet } from '#core/lake/parquet.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { framesOf } from '../shared/frames.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly registry: Pick<RegistryReader, 'latest'>;
}

/** Columns of the features table: those of FeatureRow, and `split`. */
export const featureColumns = (rows: readonly FeatureRow[], split: string): Column[] => [
  { name: 'asset', type: 'string', data: rows.map((r) => r.asset) },
  { name: 'run', type: 'string', data: rows.map((r) => r.run) },
  { name: 'index', type: 'integer', data: rows.map((r) => r.index) },
  { name: 'source_time', type: 'string', data: rows.map((r) => r.sourceTime) },
  { name: 'context', type: 'string', data: rows.map((r) => r.context ?? 'default') },
  { name: 'label', type: 'double', data: rows.map((r) => r.label) },
  { name: 'x', type: 'list<double>', data: rows.map((r) => r.x) },
  { name: 'split', type: 'string', data: rows.map(() => split) },
];

/**
 * Materialises some runs of a snapshot: raw objects, exactly the bytes that the snapshot names, to feature rows by the
 * code that the device runs. Writing the same part again writes the same bytes.
 * @throws {Error} when an object's bytes are not those of the snapshot, or the use case is not the snapshot's.
 */
export const makeHandler = (deps: Deps) => {
  return async (event: unknown): Promise<{ key: string; rows: number; part: number; split: string }> => {
    const item = parseAs(MaterialiseItem, event, 'materialise item');
    const snapshot = parseAs(DatasetSnapshot, await getJson(deps.lake, item.snapshotKey), item.snapshotKey);
    const [id] = snapshot.modelLine.split('/') as [string];
    const record = await deps.registry.latest('use-case', snapshot.useCaseDigest);
    if (record === null)
      throw new Error(
        `use case ${id} ${snapshot.useCaseDigest} is not in the registry: publish it, millwright publish`,
      );
    const useCase = parseAs(UseCase, record.body, `use case ${snapshot.useCaseDigest}`);
    const wanted = new Set(item.runs);
    const rows: FeatureRow[] = [];
    for (const run of snapshot.runs) {
      if (!wanted.has(`${run.asset}/${run.run}`) || run.split !== item.split) continue;
      const frames = (await Promise.all(run.objects.map((ref) => framesOf(deps.lake, ref)))).flat();
      rows.push(...materialiseRun(useCase, frames, run.endedAt));
    }
    const key = lakeKeys.features({
      featureSet: snapshot.featureSetDigest,
      snapshot: item.snapshotDigest,
      split: item.split,
      part: item.part,
    });
    await deps.lake.put(key, writeParquet(featureColumns(rows, item.split)));
    return { key, rows: rows.length, part: item.part, split: item.split };
  };
};
