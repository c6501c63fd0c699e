import type { PlantEvent } from '#core/contracts/plant-event.ts';

/** Run r1 of machine m1 failed at its third frame, and somebody said so two days later, unless told otherwise. */
export const aFailure = (over: Partial<PlantEvent> = {}): PlantEvent => ({
  schema: 'plant-event/1',
  eventId: 'e1',
  kind: 'failure',
  site: 'plant-a',
  asset: 'm1',
  run: 'r1',
  index: 3,
  validTime: '2026-01-04T00:00:00.000Z',
  knownTime: '2026-01-06T00:00:00.000Z',
  reportedBy: 'someone',
  detail: {},
  ...over,
});
