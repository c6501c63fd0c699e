import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { StoryRun } from '#core/contracts/source.ts';
import { moveInstant, moveRuns } from '../../plant/lives.ts';
import { lapRun } from '../../plant/machines.ts';

/** A lap of the machines: its number, and by how much it is later than its source says, ms. */
export interface Lap {
  readonly lap: number;
  readonly moved: number;
}

/** An event of what was played in a lap: named after the lap, as late as it, of the run as it was played. */
export const asPlayed = (event: PlantEvent, { lap, moved }: Lap): PlantEvent => {
  const named = (id: string): string => `${id}-l${lap}`;
  return {
    ...event,
    eventId: named(event.eventId),
    run: event.run === null ? null : lapRun(event.run, lap, 0),
    validTime: moveInstant(event.validTime, moved),
    knownTime: moveInstant(event.knownTime, moved),
    ...(event.corrects === undefined ? {} : { corrects: named(event.corrects) }),
  };
};

/**
 * What the plant comes to know of runs, as it is sent: runs by the names and at the times at which the machines played them,
 * in the order in which it became known. An event that is there twice is sent twice.
 */
export const eventsAsPlayed = (lanes: readonly (readonly StoryRun[])[], { lap, moved }: Lap): readonly PlantEvent[] =>
  lanes
    .flatMap((runs) => moveRuns(runs, moved, null))
    .flatMap(({ run, moved: by }) => run.events.map((e) => asPlayed(e, { lap, moved: by })))
    .sort((a, b) => (a.knownTime < b.knownTime ? -1 : a.knownTime > b.knownTime ? 1 : 0));

const MOST = 8;

/**
 * How many events to send next: several at a time, but one by one where one more outcome may start a retrain, so that what
 * the retrain learns from does not hang on who was quicker.
 * @param outcomes that the judge knows. @param needed at which it may ask.
 */
export const nextBatch = (outcomes: number, needed: number, left: number): number =>
  Math.max(1, Math.min(MOST, left, needed - 1 - outcomes));
