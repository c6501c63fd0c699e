import { JOINED, type PlantEvent } from '../contracts/plant-event.ts';
import { daysAfter } from '../policy/days-after.ts';

/** A unit (a run of an asset) as far as decisions tell of it; instants are source times. */
export interface KnownUnit {
  readonly run: string;
  /** Frame indexes. */
  readonly first: number;
  readonly last: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

/** A frame that was decided about. */
export interface DecidedFrame {
  readonly run: string;
  readonly index: number;
  readonly sourceTime: string;
}

/** How long after its last decision a unit may still be what an event speaks of that names none. */
export const MAX_GAP_DAYS = 7;

/**
 * The unit of an asset that an event without a run speaks of, by when it was true: the one that ran then, the last begun
 * of several, else the one that stopped last before, no longer ago than {@link MAX_GAP_DAYS}; null = none fits.
 */
export const unitAt = (units: readonly KnownUnit[], validTime: string): KnownUnit | null => {
  const begun = units
    .filter((u) => u.firstAt <= validTime)
    .sort((a, b) => (`${a.firstAt} ${a.run}` < `${b.firstAt} ${b.run}` ? -1 : 1));
  const running = begun.findLast((u) => u.lastAt >= validTime);
  if (running !== undefined) return running;
  const oldest = daysAfter(validTime, -MAX_GAP_DAYS);
  const stopped = begun.filter((u) => u.lastAt >= oldest).sort((a, b) => (a.lastAt < b.lastAt ? -1 : 1));
  return stopped.at(-1) ?? null;
};

/** Index of the last frame at or before an instant; null when all frames are later. */
export const indexAt = (frames: readonly DecidedFrame[], validTime: string): number | null => {
  const before = frames.filter((f) => f.sourceTime <= validTime).map((f) => f.index);
  return before.length === 0 ? null : Math.max(...before);
};

export interface Resolved {
  readonly run: string;
  readonly index: number;
  readonly by: 'named' | 'decision' | 'time';
}

/** What resolving an event asks for; answers come from wherever decisions are kept. */
export interface Lookup {
  /** Frame and asset of a decision by its id; null when it is not known (yet). */
  readonly decision: (id: string) => Promise<(DecidedFrame & { readonly asset: string }) | null>;
  /** All decided frames of a run of the event's asset. */
  readonly frames: (run: string) => Promise<readonly DecidedFrame[]>;
}

/**
 * The run and frame an event speaks of: as it says itself, by the decision it answers, or by asset and time. Where only
 * the frame is missing it is the last one decided about at or before `validTime`; of an answer to a decision, that
 * decision's frame at least. Null when nothing fits: not yet, or never.
 * @param units known units of the event's asset.
 */
export const resolveEvent = async (
  event: PlantEvent,
  units: readonly KnownUnit[],
  lookup: Lookup,
): Promise<Resolved | null> => {
  if (event.run !== null && event.index !== null) return { run: event.run, index: event.index, by: 'named' };
  const answered = event.decision === undefined ? null : await lookup.decision(event.decision);
  const frame =
    answered !== null && answered.asset === event.asset && (event.run ?? answered.run) === answered.run
      ? answered
      : null;
  const unit =
    event.run !== null || frame !== null
      ? units.find((u) => u.run === (event.run ?? frame?.run))
      : unitAt(units, event.validTime);
  if (unit === undefined || unit === null) return null;
  const by = event.run !== null ? 'named' : frame !== null ? 'decision' : 'time';
  if (event.index !== null) return { run: unit.run, index: event.index, by };
  const timed = event.validTime >= unit.lastAt ? unit.last : indexAt(await lookup.frames(unit.run), event.validTime);
  const index = Math.max(timed ?? 0, frame?.index ?? 0);
  return index === 0 ? null : { run: unit.run, index, by };
};

/** Id of the event that says where another one was joined to; it corrects that one and says nothing else. */
export const joinedEventId = (eventId: string, digest: string): string =>
  eventId.length <= 120 ? `${eventId}${JOINED}` : `${eventId.slice(0, 100)}~${digest.slice(-16)}${JOINED}`;
