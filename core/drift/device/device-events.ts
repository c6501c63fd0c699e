import type { PlantEvent } from '../../contracts/plant-event.ts';
import { EVER, type StandingChain, standingChains } from '../../outcomes/standing.ts';
import { compareText } from '../../text/compare.ts';
import { isLearned } from '../baselines/learned.ts';
import { accept } from '../baselines/regimes.ts';
import type { DriftRules } from '../policy.ts';
import { afresh, type DeviceState } from './device-state.ts';

/** Events whose ids are kept, so that one that is given again is known. */
const KEPT_EVENTS = 50;
const DAY = 86_400_000;

type Span = { readonly from: string; readonly to: string; readonly assets: readonly string[] };
type KnownEvent = DeviceState['events'][number];

const isRuled = (kind: PlantEvent['kind']): kind is keyof DriftRules['onEvent'] =>
  kind === 'changeover' || kind === 'tool-change' || kind === 'repair';

const daysAfter = (instant: string, days: number): string => new Date(Date.parse(instant) + days * DAY).toISOString();
const later = (a: string, b: string): string => (a > b ? a : b);

/** What was seen or learned is of another machine. */
const another = () => ({ own: {}, rolling: null, moved: null, suspected: null, ...afresh() });

const reBaselined = (
  state: DeviceState,
  { eventId, validTime }: PlantEvent,
  window: Span,
  days: number,
): DeviceState => {
  const left = Object.values(state.own).filter(isLearned);
  const until = daysAfter(later(validTime, window.from), days);
  return {
    ...state,
    ...another(),
    accepting: { eventId, since: validTime, until, contexts: {} },
    // What was learned before can come back.
    regimes: left.reduce((library, { packed }) => accept(library, { since: state.since, packed }), state.regimes),
  };
};

const mutedBy = (state: DeviceState, { validTime }: PlantEvent, { muteDays }: DriftRules): DeviceState => {
  const until = daysAfter(validTime, muteDays);
  return { ...state, mutedUntil: state.mutedUntil === null || until > state.mutedUntil ? until : state.mutedUntil };
};

/** What an event does, by the declared rule of its kind. A retrain is the line's to ask for. */
const withEvent = (state: DeviceState, event: PlantEvent, window: Span, rules: DriftRules): DeviceState => {
  if (isRuled(event.kind) && rules.onEvent[event.kind] === 're-baseline')
    return reBaselined(state, event, window, rules.learnDays);
  // What was seen before is of the machine as it was: if it is still so, it is found again.
  return mutedBy({ ...state, ...afresh(), suspected: null }, event, rules);
};

/** As if it had not been told. What was learned before it is gone from the state; where it was a regime, it is known. */
const takenBack = (state: DeviceState, known: KnownEvent, ids: readonly string[], rules: DriftRules): DeviceState => {
  const isMute = state.mutedUntil === daysAfter(known.validTime, rules.muteDays);
  const unmuted = isMute ? { ...state, mutedUntil: null } : state;
  return state.accepting !== null && ids.includes(state.accepting.eventId)
    ? { ...unmuted, ...another(), accepting: null }
    : unmuted;
};

/** Keeps that an event was taken into account, in the place of what it corrects. */
const remembered = (state: DeviceState, event: PlantEvent, ids: readonly string[]): DeviceState => {
  const { eventId, validTime, kind, asset } = event;
  const events = [...state.events.filter((k) => !ids.includes(k.eventId)), { eventId, validTime, kind, asset }];
  const dropped = events.slice(0, -KEPT_EVENTS).map((e) => e.validTime);
  return { ...state, eventsFrom: [state.eventsFrom, ...dropped].reduce(later), events: events.slice(-KEPT_EVENTS) };
};

interface Step {
  readonly state: DeviceState;
  /** What it was is over: what comes after is judged anew. */
  readonly begins: boolean;
}

/** A correction replaces what it corrects: what was changed is changed once, at the corrected time. */
const corrected = (
  state: DeviceState,
  known: KnownEvent,
  { event, ids }: StandingChain,
  window: Span,
  rules: DriftRules,
): Step => {
  const back = takenBack(state, known, ids, rules);
  const isHere = window.assets.includes(event.asset) || state.contexts[event.asset] !== undefined;
  if (!isRuled(event.kind) || !isHere) return { state: remembered(back, event, ids), begins: false };
  if (event.validTime > window.to)
    return { state: { ...back, events: back.events.filter((k) => !ids.includes(k.eventId)) }, begins: false };
  const { accepting } = state;
  if (rules.onEvent[event.kind] === 're-baseline') {
    // What is learned since a later time is of the machine as it is after the corrected time too.
    if (accepting === null || event.validTime > accepting.since)
      return { state: remembered(withEvent(back, event, window, rules), event, ids), begins: true };
    const { eventId } = ids.includes(accepting.eventId) ? event : accepting;
    return { state: remembered({ ...state, accepting: { ...accepting, eventId } }, event, ids), begins: false };
  }
  const isLater = event.validTime > known.validTime || back.accepting !== accepting;
  const next = isLater ? withEvent(back, event, window, rules) : mutedBy(back, event, rules);
  return { state: remembered(next, event, ids), begins: isLater };
};

const isSame = (known: KnownEvent, { eventId, validTime, kind, asset }: PlantEvent): boolean =>
  known.eventId === eventId &&
  known.validTime === validTime &&
  (known.kind ?? kind) === kind &&
  (known.asset ?? asset) === asset;

export interface TakenEvents {
  readonly state: DeviceState;
  /** Taken into account for the first time, or as they were corrected; oldest first. */
  readonly events: readonly PlantEvent[];
  /** Of these, the ones after which the machine is another. */
  readonly begun: readonly PlantEvent[];
}

/**
 * Takes plant events into account that the fold did not know, and corrections of those that it knew.
 * @param events any order, repeated or not; with those that they correct.
 */
export const takeEvents = (
  state: DeviceState,
  events: readonly PlantEvent[],
  window: Span,
  rules: DriftRules,
): TakenEvents => {
  const chains = [...standingChains(events, EVER)].sort(
    ({ event: a }, { event: b }) => compareText(a.validTime, b.validTime) || compareText(a.eventId, b.eventId),
  );
  let taken: TakenEvents = { state, events: [], begun: [] };
  for (const chain of chains) {
    const { event, ids } = chain;
    const known = taken.state.events.findLast((k) => ids.includes(k.eventId));
    const isDue = isRuled(event.kind) && event.validTime <= window.to && window.assets.includes(event.asset);
    const isFresh = known === undefined && isDue && event.validTime > taken.state.eventsFrom;
    if (known === undefined ? !isFresh : isSame(known, event)) continue;
    const step: Step =
      known === undefined
        ? { state: remembered(withEvent(taken.state, event, window, rules), event, ids), begins: true }
        : corrected(taken.state, known, chain, window, rules);
    taken = {
      state: step.state,
      events: [...taken.events, event],
      begun: step.begins ? [...taken.begun, event] : taken.begun,
    };
  }
  return taken;
};
