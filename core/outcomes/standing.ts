import type { PlantEvent } from '../contracts/plant-event.ts';
import { canonicalJson } from '../lineage/canonical-json.ts';

/**
 * Of two contents of one event id: is `a` the one that stands? What became known last does; at one instant their
 * canonical text decides, so that both orders of arrival end the same. Instants are UTC with milliseconds: text order is
 * time order.
 */
export const isNewerContent = (a: PlantEvent, b: PlantEvent): boolean =>
  a.knownTime === b.knownTime ? canonicalJson(a) > canonicalJson(b) : a.knownTime > b.knownTime;

interface Place {
  /** Id of the event that a chain of corrections begins with, whether it is known or not. */
  readonly root: string;
  readonly depth: number;
}

/** Follows `corrects` to the beginning of the chain; a ring of corrections begins with its smallest id. */
const placeOf = (event: PlantEvent, byId: ReadonlyMap<string, PlantEvent>): Place => {
  const path = [event.eventId];
  for (;;) {
    const next = byId.get(path.at(-1) as string)?.corrects;
    if (next === undefined) return { root: path.at(-1) as string, depth: path.length - 1 };
    const ring = path.indexOf(next);
    if (ring >= 0) return { root: path.slice(ring).sort()[0] as string, depth: path.length - 1 };
    path.push(next);
  }
};

/** Later than every instant: whoever was told of an event knows it, whenever that is said to have become known. */
export const EVER = '9999-12-31T23:59:59.999Z';

/** An event that stands, with the ids of all that its chain of corrections is known to have. */
export interface StandingChain {
  readonly event: PlantEvent;
  readonly ids: readonly string[];
}

/** The chains of corrections of one site at an instant, each with the event of it that stands; in order of those events' ids. */
export const standingChains = (events: readonly PlantEvent[], knownUntil: string): readonly StandingChain[] => {
  const byId = new Map<string, PlantEvent>();
  for (const event of events) {
    if (event.knownTime > knownUntil) continue;
    const other = byId.get(event.eventId);
    if (other === undefined || isNewerContent(event, other)) byId.set(event.eventId, event);
  }
  const standing = new Map<string, StandingChain & { readonly depth: number }>();
  for (const event of [...byId.values()].sort((a, b) => (a.eventId < b.eventId ? -1 : 1))) {
    const { root, depth } = placeOf(event, byId);
    const other = standing.get(root);
    const ids = [...(other?.ids ?? [root]), event.eventId, ...(event.corrects === undefined ? [] : [event.corrects])];
    const later =
      other === undefined ||
      event.knownTime > other.event.knownTime ||
      (event.knownTime === other.event.knownTime && depth >= other.depth);
    standing.set(root, later ? { event, depth, ids } : { ...other, ids });
  }
  return [...standing.values()]
    .map(({ event, ids }) => ({ event, ids: [...new Set(ids)] }))
    .sort((a, b) => (a.event.eventId < b.event.eventId ? -1 : 1));
};

/**
 * The events of one site that stand at an instant, one of each chain of corrections, in order of their ids.
 * An event that became known later does not exist yet. Of one id the newest content counts; of a chain (`corrects`) the
 * event that became known last, at one instant the longer chain, so that a correction of a correction needs no more than
 * saying what it replaces. Duplicates and order change nothing.
 */
export const standingEvents = (events: readonly PlantEvent[], knownUntil: string): readonly PlantEvent[] =>
  standingChains(events, knownUntil).map((c) => c.event);
