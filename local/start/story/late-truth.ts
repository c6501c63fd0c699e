import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { StoryRun } from '#core/contracts/source.ts';
import { lapRun } from '../../plant/machines.ts';

/**
 * What the plant comes to know of runs, as it is sent: runs by the names under which the machines played them, in the order
 * in which it became known. An event that is there twice is sent twice.
 */
export const eventsAsPlayed = (runs: readonly (readonly StoryRun[])[], lap: number): readonly PlantEvent[] => {
  const named = (id: string): string => `${id}-l${lap}`;
  return runs
    .flat()
    .flatMap(({ events }) => events)
    .map((e) => ({
      ...e,
      eventId: named(e.eventId),
      run: e.run === null ? null : lapRun(e.run, lap, 0),
      ...(e.corrects === undefined ? {} : { corrects: named(e.corrects) }),
    }))
    .sort((a, b) => (a.knownTime < b.knownTime ? -1 : a.knownTime > b.knownTime ? 1 : 0));
};

const MOST = 8;

/**
 * How many events to send next: several at a time, but one by one where one more outcome may start a retrain, so that what
 * the retrain learns from does not hang on who was quicker.
 * @param outcomes that the judge knows. @param needed at which it may ask.
 */
export const nextBatch = (outcomes: number, needed: number, left: number): number =>
  Math.max(1, Math.min(MOST, left, needed - 1 - outcomes));
