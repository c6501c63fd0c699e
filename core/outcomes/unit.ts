import type { UnitEnd } from '../contracts/judgement.ts';
import { type AsFound, leftAtMostOf, type PlantEvent } from '../contracts/plant-event.ts';

/** An event that says at which frame of a run it was true. */
export type PlacedEvent = PlantEvent & { readonly run: string; readonly index: number };

export interface EndOfUnit {
  readonly end: UnitEnd;
  /** Frame index. */
  readonly endedAt: number;
  readonly validTime: string;
  /** When the newest event that it rests on was known. */
  readonly knownTime: string;
  /** Ids of the events that it rests on, the deciding one first. */
  readonly events: readonly string[];
  readonly by: PlacedEvent;
  /** Of a failure that was prevented: what it would have lived on at most, label units; absent: nobody said. */
  readonly leftAtMost?: number;
}

/** A frame or two may still be under way when a machine stops. */
const SLACK_FRAMES = 1;

const isPlaced = (event: PlantEvent): event is PlacedEvent => event.run !== null && event.index !== null;
const byKnown = (a: PlantEvent, b: PlantEvent): number =>
  `${a.knownTime} ${a.eventId}` < `${b.knownTime} ${b.eventId}` ? -1 : 1;
const says = (event: PlantEvent): AsFound | null =>
  event.asFound === undefined || event.asFound === 'unknown' ? null : event.asFound;

/** What those who opened the unit say in `detail.leftAtMost`; of several the least. */
const leftBy = (events: readonly PlantEvent[]): { readonly leftAtMost?: number } => {
  const said = events.map(leftAtMostOf).filter((left) => left !== null);
  return said.length === 0 ? {} : { leftAtMost: Math.min(...said) };
};

const found = (end: UnitEnd, by: PlacedEvent, rests: readonly PlantEvent[] = []): EndOfUnit => ({
  ...(end === 'prevented' ? leftBy([by, ...rests]) : {}),
  end,
  endedAt: by.index,
  validTime: by.validTime,
  knownTime: [by, ...rests]
    .map((e) => e.knownTime)
    .sort()
    .at(-1) as string,
  events: [by, ...rests].map((e) => e.eventId),
  by,
});

const END_AS_FOUND = { failed: 'failed', damaged: 'prevented', healthy: 'healthy' } as const;

/**
 * How one unit (a run of an asset) ended, by the events about it that stand; null = it runs, or nobody knows.
 * - A failure or a repair ends a unit; of several the one known last. What was found when it was opened may be said by it
 *   or by a finding or an inspection of the unit at its end: a repair that says nothing else takes their word, a failure
 *   keeps being one unless they became known later and found nothing.
 * - A repair of what nobody looked at ends the unit and is no outcome: whether it prevented anything is not known.
 * - Without either, a finding or inspection says how it was, if the unit did not go on after it.
 * - A failure or repair is contradicted by a unit that goes on for more than a frame after it; where nothing else tells
 *   of the end, that is said.
 * @param standing events that stand (`standingEvents`), of this unit, in any order.
 * @param goesOnTo last frame index that is known of the unit; null when none is.
 */
export const endOfUnit = (standing: readonly PlantEvent[], goesOnTo: number | null): EndOfUnit | null => {
  const placed = standing.filter(isPlaced).sort(byKnown);
  const goesOn = (event: PlacedEvent): boolean => goesOnTo !== null && event.index < goesOnTo - SLACK_FRAMES;
  const looks = placed.filter((e) => (e.kind === 'finding' || e.kind === 'inspection') && says(e) !== null);
  /** What was seen at an earlier frame says nothing of how it was at the end. */
  const atEnd = (end: PlacedEvent, look: PlacedEvent): boolean =>
    !goesOn(look) || look.index >= end.index - SLACK_FRAMES;
  const ends = placed.filter((e) => e.kind === 'failure' || e.kind === 'repair');
  const by = ends.findLast((e) => !goesOn(e));
  if (by === undefined) {
    const look = looks.findLast((e) => !goesOn(e));
    if (look !== undefined) return found(END_AS_FOUND[says(look) as keyof typeof END_AS_FOUND], look);
    const contradicted = ends.at(-1);
    return contradicted === undefined ? null : found('contradicted', contradicted);
  }
  const own = says(by);
  if (by.kind === 'failure') {
    if (own === 'healthy') return found('healthy', by);
    const refuted = looks.findLast((e) => byKnown(by, e) < 0 && atEnd(by, e));
    return own === null && refuted !== undefined && says(refuted) === 'healthy'
      ? found('healthy', by, [refuted])
      : found('failed', by);
  }
  const look = own === null ? looks.findLast((e) => atEnd(by, e)) : undefined;
  const state = own ?? (look === undefined ? null : says(look));
  if (state === null) return null;
  return found(END_AS_FOUND[state as keyof typeof END_AS_FOUND], by, look === undefined ? [] : [look]);
};
