import type { PlantEvent } from '../../contracts/plant-event.ts';
import { compareText } from '../../text/compare.ts';
import { isLearned } from '../baselines/learned.ts';
import { accept } from '../baselines/regimes.ts';
import type { DriftRules } from '../policy.ts';
import { afresh, type DeviceState } from './device-state.ts';

/** Events whose ids are kept, so that one that is given again is known. */
const KEPT_EVENTS = 50;

const isRuled = (kind: PlantEvent['kind']): kind is keyof DriftRules['onEvent'] =>
  kind === 'changeover' || kind === 'tool-change' || kind === 'repair';

const reBaselined = (state: DeviceState, event: PlantEvent): DeviceState => {
  const left = Object.values(state.own).filter(isLearned);
  return {
    ...state,
    accepting: { eventId: event.eventId, contexts: {} },
    // What was learned before can come back.
    regimes: left.reduce((library, { packed }) => accept(library, { since: state.since, packed }), state.regimes),
    own: {},
    rolling: null,
    moved: null,
    suspected: null,
    ...afresh(),
  };
};

/** Events that the fold did not know, oldest first. */
export const freshEvents = (
  state: DeviceState,
  events: readonly PlantEvent[],
  window: { readonly to: string; readonly assets: readonly string[] },
): readonly PlantEvent[] =>
  [...new Map(events.map((e) => [e.eventId, e])).values()]
    .filter((e) => isRuled(e.kind) && e.validTime <= window.to && window.assets.includes(e.asset))
    .filter((e) => e.validTime > state.eventsFrom && !state.events.some((k) => k.eventId === e.eventId))
    .sort((a, b) => compareText(a.validTime, b.validTime) || compareText(a.eventId, b.eventId));

/** What a plant event does to the judgement of a device, by the declared rule of its kind. A retrain is the line's to ask for. */
export const withEvent = (state: DeviceState, event: PlantEvent, rules: DriftRules): DeviceState => {
  const { eventId, validTime } = event;
  const events = [...state.events, { eventId, validTime }];
  const dropped = events.slice(0, -KEPT_EVENTS).map((e) => e.validTime);
  const eventsFrom = [state.eventsFrom, ...dropped].reduce((a, b) => (b > a ? b : a));
  const known = { ...state, eventsFrom, events: events.slice(-KEPT_EVENTS) };
  if (!isRuled(event.kind)) return known;
  if (rules.onEvent[event.kind] === 're-baseline') return reBaselined(known, event);
  const until = new Date(Date.parse(event.validTime) + rules.muteDays * 86_400_000).toISOString();
  // What was seen before is of the machine as it was: if it is still so, it is found again.
  return {
    ...known,
    ...afresh(),
    suspected: null,
    mutedUntil: known.mutedUntil === null || until > known.mutedUntil ? until : known.mutedUntil,
  };
};
