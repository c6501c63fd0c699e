import { DatasetSnapshot, type MaterialiseItem, type SnapshotRun } from '../contracts/dataset-snapshot.ts';
import { lakeKeys, type RawObjectRecord } from '../contracts/lake.ts';
import type { PlantEvent } from '../contracts/plant-event.ts';
import type { UseCase } from '../contracts/use-case.ts';
import { type EndOfRun, endOfRun } from '../features/labels.ts';
import { digestOf } from '../lineage/digest.ts';
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
    }
  | { readonly ok: false; readonly shortfall: readonly string[] };

const runKey = (r: { readonly asset: string; readonly run: string | null }): string => `${r.asset}/${r.run}`;
const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * What a model of the line may learn from: ended runs, each in one split, by what was known at `knownUntil`.
 * - An object or event that became known later does not exist yet.
 * - An object that lacks a signal of the use case is of another kind of machine.
 * - A run without a known failure has no labels and stays out; of several reports the one known last holds (`endOfRun`).
 * - Of a run that ended, only objects that begin at or before its end enter.
 * The same records in any order give the same snapshot.
 * @returns the snapshot, or what is missing, by name.
 */
export const planSnapshot = (input: SnapshotInput): SnapshotPlan => {
  const { useCase, knownUntil } = input;
  const reports = new Map<string, PlantEvent[]>();
  for (const event of input.events)
    if (event.site === input.site && event.run !== null)
      reports.set(runKey(event), [...(reports.get(runKey(event)) ?? []), event]);
  const ends = new Map<string, EndOfRun>();
  for (const [key, events] of reports) {
    const end = endOfRun(useCase.label, events, events[0] as PlantEvent, knownUntil);
    if (end !== null) ends.set(key, end);
  }
  const byRun = new Map<string, RawObjectRecord[]>();
  for (const { record, knownAt } of input.objects) {
    if (record.site !== input.site || knownAt > knownUntil || record.frames === 0) continue;
    if (!useCase.signals.every((signal) => record.signals.includes(signal.name))) continue;
    const end = ends.get(runKey(record));
    if (end === undefined || record.firstIndex > end.index) continue;
    byRun.set(runKey(record), [...(byRun.get(runKey(record)) ?? []), record]);
  }
  const counts = { train: 0, calibration: 0, test: 0 };
  const eventIds: string[] = [];
  const runs: SnapshotRun[] = [];
  for (const [key, records] of [...byRun].sort(([a], [b]) => byText(a, b))) {
    const first = records[0] as RawObjectRecord;
    const end = ends.get(key) as EndOfRun;
    const split = splitOf(useCase.seal, first.asset, first.run);
    counts[split] += 1;
    eventIds.push(end.eventId);
    runs.push({
      asset: first.asset,
      run: first.run,
      split,
      frames: records.reduce((sum, r) => sum + r.frames, 0),
      endedAt: end.index,
      objects: records
        .sort((a, b) => a.firstIndex - b.firstIndex || byText(a.key, b.key))
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
  return { ok: true, snapshot, digest: digestOf(snapshot), eventIds, counts };
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
