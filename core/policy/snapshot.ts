import { DatasetSnapshot, type MaterialiseItem, type SnapshotRun } from '../contracts/dataset-snapshot.ts';
import { lakeKeys, type RawObjectRecord } from '../contracts/lake.ts';
import type { PlantEvent } from '../contracts/plant-event.ts';
import type { UseCase } from '../contracts/use-case.ts';
import { digestOf } from '../lineage/digest.ts';
import { standingEvents } from '../outcomes/standing.ts';
import { type EndOfUnit, endOfUnit } from '../outcomes/unit.ts';
import { compareText } from '../text/compare.ts';
import { shortfall, splitOf } from './split.ts';

/** A raw object and when the registry learnt of it. */
export interface KnownObject {
  readonly record: RawObjectRecord;
  readonly knownAt: string;
}

export interface SnapshotInput {
  readonly modelLine: string;
  readonly site: string;
  readonly useCase: UseCase;
  readonly useCaseDigest: string;
  readonly knownUntil: string;
  readonly objects: readonly KnownObject[];
  readonly events: readonly PlantEvent[];
}

export type SnapshotPlan =
  | {
      readonly ok: true;
      readonly snapshot: DatasetSnapshot;
      readonly digest: string;
      /** Ids of the failures that gave the labels, in the order of the runs. */
      readonly eventIds: readonly string[];
      readonly counts: { readonly train: number; readonly calibration: number; readonly test: number };
      /** `asset/run` of those whose reported failure they outlived: no label, no learning from them. */
      readonly contradicted: readonly string[];
    }
  | { readonly ok: false; readonly shortfall: readonly string[] };

const runKey = (r: { readonly asset: string; readonly run: string | null }): string => `${r.asset}/${r.run}`;

/**
 * What a model of the line may learn from: ended runs, each in one split, by what was known at `knownUntil`.
 * - An object or event that became known later does not exist yet.
 * - An object that lacks a signal of the use case is of another kind of machine.
 * - A run without a known failure has no labels and stays out, also one that was repaired before it failed, one whose
 *   failure was retracted, and one that went on after it; of several reports the one known last holds (core/outcomes).
 * - Of a run that ended, only objects that begin at or before its end enter.
 * The same records in any order give the same snapshot.
 * @returns the snapshot, or what is missing, by name.
 */
export const planSnapshot = (input: SnapshotInput): SnapshotPlan => {
  const { useCase, knownUntil } = input;
  const reports = Map.groupBy(
    standingEvents(
      input.events.filter((e) => e.site === input.site),
      knownUntil,
    ),
    runKey,
  );
  const objects = input.objects
    .filter(({ record, knownAt }) => record.site === input.site && knownAt <= knownUntil && record.frames > 0)
    .map(({ record }) => record)
    .filter((record) => useCase.signals.every((signal) => record.signals.includes(signal.name)));
  const ends = new Map<string, EndOfUnit>();
  const contradicted: string[] = [];
  const byRun = new Map<string, RawObjectRecord[]>();
  for (const [key, records] of Map.groupBy(objects, runKey)) {
    const end = endOfUnit(reports.get(key) ?? [], Math.max(...records.map((r) => r.lastIndex)));
    if (end?.end === 'contradicted') contradicted.push(key);
    if (end?.end !== 'failed') continue;
    ends.set(key, end);
    const lived = records.filter((r) => r.firstIndex <= end.endedAt);
    if (lived.length > 0) byRun.set(key, lived);
  }
  const counts = { train: 0, calibration: 0, test: 0 };
  const eventIds: string[] = [];
  const runs: SnapshotRun[] = [];
  for (const [key, records] of [...byRun].sort(([a], [b]) => compareText(a, b))) {
    const first = records[0] as RawObjectRecord;
    const end = ends.get(key) as EndOfUnit;
    const split = splitOf(useCase.seal, first.asset, first.run);
    counts[split] += 1;
    eventIds.push(...end.events);
    runs.push({
      asset: first.asset,
      run: first.run,
      split,
      frames: records.reduce((sum, r) => sum + r.frames, 0),
      endedAt: end.endedAt,
      objects: records
        .sort((a, b) => a.firstIndex - b.firstIndex || compareText(a.key, b.key))
        .map(({ bucket, key, versionId, digest, bytes }) => ({ bucket, key, versionId, digest, bytes })),
    });
  }
  const missing = shortfall(counts, useCase.gate);
  if (missing.length > 0) return { ok: false, shortfall: missing };
  const snapshot = DatasetSnapshot.parse({
    schema: 'dataset-snapshot/1',
    modelLine: input.modelLine,
    useCaseDigest: input.useCaseDigest,
    featureSetDigest: digestOf(useCase.featureSet),
    label: useCase.label,
    knownUntil,
    runs,
  });
  return { ok: true, snapshot, digest: digestOf(snapshot), eventIds, counts, contradicted: contradicted.sort() };
};

/** Cuts a snapshot into the work items of materialisation: runs of one split together, `perPart` at most. */
export const materialiseItems = (snapshot: DatasetSnapshot, digest: string, perPart: number): MaterialiseItem[] => {
  const items: MaterialiseItem[] = [];
  for (const split of ['train', 'calibration', 'test'] as const) {
    const runs = snapshot.runs.filter((r) => r.split === split).map(runKey);
    for (let i = 0; i < runs.length; i += perPart)
      items.push({
        snapshotDigest: digest,
        snapshotKey: lakeKeys.snapshot(digest),
        part: items.length,
        runs: runs.slice(i, i + perPart),
        split,
      });
  }
  return items;
};
