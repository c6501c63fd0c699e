import type { Frame } from '#core/contracts/frame.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';

const DAY_MS = 86_400_000;

/** How the end of a life comes to be known: as a plant does, mostly in order and sometimes not. */
export type Telling =
  | 'failure'
  /** A repair before the failure: as found, it would have failed. */
  | 'prevented'
  /** A repair that found nothing wrong. */
  | 'healthy'
  /** A finding, its correction, and the correction of that: it failed after all. */
  | 'corrected twice'
  | 'delivered twice'
  /** Whoever wrote it down knew the machine and the hour, and no run. */
  | 'by asset and time';

export interface Ended {
  readonly asset: string;
  readonly run: string;
  /** Last frame of the life: when it ended. */
  readonly last: Frame;
}

/** Events that tell the end of a life. @param days from the end until anyone knew; a correction takes a day more each. */
export const eventsOf = (
  { asset, run, last }: Ended,
  telling: Telling,
  days: number,
  by: { readonly reportedBy: string; readonly detail: PlantEvent['detail'] },
): readonly PlantEvent[] => {
  const event = (name: string, more: Partial<PlantEvent> = {}, later = 0): PlantEvent => ({
    schema: 'plant-event/1',
    eventId: `${asset}-${run}-${name}`,
    kind: 'failure',
    site: last.site,
    asset,
    run,
    index: last.index,
    validTime: last.sourceTime,
    knownTime: new Date(Date.parse(last.sourceTime) + (days + later) * DAY_MS).toISOString(),
    ...by,
    ...more,
  });
  switch (telling) {
    case 'failure':
      return [event('failure')];
    case 'prevented':
      return [event('repair', { kind: 'repair', asFound: 'damaged' })];
    case 'healthy':
      return [event('repair', { kind: 'repair', asFound: 'healthy' })];
    case 'corrected twice':
      return [
        event('finding', { kind: 'finding', asFound: 'healthy' }),
        event('report', { kind: 'finding', asFound: 'damaged', corrects: `${asset}-${run}-finding` }, 1),
        event('failure', { asFound: 'failed', corrects: `${asset}-${run}-report` }, 2),
      ];
    case 'delivered twice':
      return [event('failure'), event('failure')];
    case 'by asset and time':
      return [event('failure', { run: null, index: null })];
  }
};
