import type { PlantEvent } from '../contracts/plant-event.ts';
import type { LabelDefinition } from '../contracts/use-case.ts';
import { standingEvents } from './standing.ts';
import { endOfUnit, type PlacedEvent } from './unit.ts';

/** A plant event that names the frame at which a run ended. */
export type EndOfRun = PlacedEvent;

/**
 * The event that ended a run by failure, as far as anyone knew at `knownUntil`; null = still running, or no label: a run
 * that was repaired before it failed is censored, and a failure that was retracted, or that the run outlived, is none.
 * The rules are those by which decisions are judged (core/outcomes).
 * @param events plant events of one site, of any run, in any order.
 * @param goesOnTo last frame index that is known of the run; null when that is not known.
 */
export const endOfRun = (
  events: readonly PlantEvent[],
  of: { readonly asset: string; readonly run: string | null },
  knownUntil: string,
  goesOnTo: number | null = null,
): EndOfRun | null => {
  const standing = standingEvents(events, knownUntil).filter((e) => e.asset === of.asset && e.run === of.run);
  const end = endOfUnit(standing, goesOnTo);
  return end?.end === 'failed' ? end.by : null;
};

/** Remaining useful life at a frame, label units, not above the cap (piecewise linear; Heimes 2008); null = unknown. */
export const remainingLife = (label: LabelDefinition, endedAt: number | null, index: number): number | null =>
  endedAt === null ? null : Math.min(endedAt - index, label.cap);
