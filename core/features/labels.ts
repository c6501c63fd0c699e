import type { PlantEvent } from '../contracts/plant-event.ts';
import type { LabelDefinition } from '../contracts/use-case.ts';

/** A plant event that names the frame at which a run ended. */
export type EndOfRun = PlantEvent & { readonly index: number };

/**
 * The event that ended a run, as far as anyone knew at `knownUntil`; null = still running.
 * Events that became known later do not exist yet. Of several reports the one known last corrects the others.
 * @param events plant events, of any run, in any order.
 */
export const endOfRun = (
  label: LabelDefinition,
  events: readonly PlantEvent[],
  of: { readonly asset: string; readonly run: string | null },
  knownUntil: string,
): EndOfRun | null => {
  let end: EndOfRun | null = null;
  for (const event of events) {
    if (event.kind !== label.from || event.asset !== of.asset || event.run !== of.run) continue;
    const { index } = event;
    if (index === null) continue;
    // Instants all have milliseconds and Z, so that text order is time order.
    if (event.knownTime > knownUntil) continue;
    if (end === null || `${end.knownTime} ${end.eventId}` < `${event.knownTime} ${event.eventId}`)
      end = { ...event, index };
  }
  return end;
};

/** Remaining useful life at a frame, label units, not above the cap (piecewise linear; Heimes 2008); null = unknown. */
export const remainingLife = (label: LabelDefinition, endedAt: number | null, index: number): number | null =>
  endedAt === null ? null : Math.min(endedAt - index, label.cap);
