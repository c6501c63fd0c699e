import type { PlantEvent } from '../contracts/plant-event.ts';
import type { EndedRun } from '../contracts/training-set.ts';
import type { LabelDefinition } from '../contracts/use-case.ts';
import { remainingLife } from '../outcomes/labels.ts';
import { standingEvents } from '../outcomes/standing.ts';
import { endOfUnit } from '../outcomes/unit.ts';
import { makePointInTimeJoin } from './join.ts';
import { joinableRows, type RunRows, type TrainingRow, trainingRow } from './run-rows.ts';

/** The end of a run by failure, as known; null: it runs, was repaired, or its failure was retracted or outlived. */
export type FindEnd = (asset: string, run: string, goesOnTo: number) => EndedRun | null;

/**
 * Finds how runs of a site ended, as far as anyone knew at an instant, by the rules by which decisions are judged
 * (core/outcomes).
 */
export const endsKnownAt = (events: readonly PlantEvent[], site: string, knownAt: string): FindEnd => {
  const ofSite = events.filter((e) => e.site === site);
  const standing = Map.groupBy(standingEvents(ofSite, knownAt), (e) => `${e.asset}/${e.run}`);
  return (asset, run, goesOnTo) => {
    const end = endOfUnit(standing.get(`${asset}/${run}`) ?? [], goesOnTo);
    if (end?.end !== 'failed') return null;
    return { asset, run, endedAt: end.endedAt, knownTime: end.knownTime, events: [...end.events] };
  };
};

/** The last frame of a run that was known at an instant (milliseconds); 0 when none was. */
export const goesOnTo = (run: RunRows, knownAt: number): number =>
  run.index.reduce(
    (last, index, i) => (Date.parse(run.knownTime[i] as string) <= knownAt ? Math.max(last, index) : last),
    0,
  );

/**
 * Rows of a run that ended, each labelled with the life that remained. There is a label at each instant at which a device
 * could first decide about a frame, and it gets what was known of the machine then: a frame that was overtaken on its way
 * has no row of its own, nor has one after the end.
 * @param knownAt milliseconds; nothing known later enters.
 */
export const rowsOfEndedRun = (
  run: RunRows,
  endedAt: number,
  label: LabelDefinition,
  knownAt: number,
  maxAge?: number,
): readonly TrainingRow[] => {
  const rows = joinableRows(run, 0, knownAt);
  const firstKnown = new Map<number, number>();
  for (const [n, at] of rows.at.entries()) {
    const index = run.index[at] as number;
    const instant = Math.max(rows.known[n] as number, rows.valid[n] as number);
    if (index <= endedAt) firstKnown.set(index, Math.min(instant, firstKnown.get(index) ?? Number.POSITIVE_INFINITY));
  }
  const time = Float64Array.from(new Set(firstKnown.values())).sort();
  const join = makePointInTimeJoin({ entity: new Int32Array(time.length), time }, maxAge);
  join.push(rows);
  const made = new Map<number, TrainingRow>();
  for (const [n, place] of join.result().entries()) {
    if (place === -1) continue;
    const at = rows.at[join.rowAt(place)] as number;
    const index = run.index[at] as number;
    const value = remainingLife(label, endedAt, index);
    if (index <= endedAt && value !== null && !made.has(index))
      made.set(index, trainingRow(run, at, new Date(time[n] as number).toISOString(), value));
  }
  return [...made.values()].sort((a, b) => a.index - b.index);
};
