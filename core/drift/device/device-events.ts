import type { PlantEvent } from '../../contracts/plant-event.ts';
import { EVER, standingChains } from '../../outcomes/standing.ts';
import { daysAfter } from '../../policy/days-after.ts';
import { compareText } from '../../text/compare.ts';
import { isLearned, LEARN_WINDOWS } from '../baselines/learned.ts';
import { accept, MOST_REGIMES } from '../baselines/regimes.ts';
import type { DriftRules } from '../policy.ts';
import { type Accepting, afresh, type DeviceState } from './device-state.ts';

/** Events whose ids are kept, so that one that is given again is known. */
const KEPT_EVENTS = 50;
/** Of each rule so many are kept in any case: where the newest is taken back, what was learned after one before it holds. */
const KEPT_OF_EACH = MOST_REGIMES + 1;

type Span = { readonly from: string; readonly to: string; readonly assets: readonly string[] };
type KnownEvent = DeviceState['events'][number];

const isRuled = (kind: PlantEvent['kind']): kind is keyof DriftRules['onEvent'] =>
  kind === 'changeover' || kind === 'tool-change' || kind === 'repair';

const later = (a: string, b: string): string => (a > b ? a : b);
const inOrder = (a: KnownEvent, b: KnownEvent): number =>
  compareText(a.validTime, b.validTime) || compareText(a.eventId, b.eventId);

/** What an event does, by the declared rule of its kind; one that was kept without its kind by what it did. */
const doesOf = (event: KnownEvent, { accepting, mutedUntil }: DeviceState, rules: DriftRules) => {
  // A retrain is the line's to ask for.
  if (event.kind !== undefined)
    return isRuled(event.kind) ? (rules.onEvent[event.kind] === 're-baseline' ? 're-baseline' : 'mute') : null;
  if (event.eventId === accepting?.eventId) return 're-baseline';
  return mutedUntil === daysAfter(event.validTime, rules.muteDays) ? 'mute' : null;
};

/** What was seen is of another machine, or held against another reference. */
const unseen = () => ({ rolling: null, moved: null, suspected: null, ...afresh() });

/** Learns anew after an event. What was learned before can come back, unless what it was learned after was told wrong. */
const reBaselined = (
  state: DeviceState,
  { eventId, validTime }: KnownEvent,
  standing: readonly KnownEvent[],
  window: Span,
  days: number,
): DeviceState => {
  const { accepting } = state;
  const stood = accepting !== null && standing.some((e) => e.validTime <= accepting.since);
  const left = stood ? Object.entries(state.own).filter(([, own]) => isLearned(own)) : [];
  const from = accepting?.since ?? validTime;
  return {
    ...state,
    ...unseen(),
    own: {},
    accepting: { eventId, since: validTime, until: daysAfter(later(validTime, window.from), days), contexts: {} },
    regimes: left.reduce(
      (library, [key, { packed, center }]) =>
        accept(library, { since: state.since, packed, learned: { from, key, center } }),
      state.regimes,
    ),
  };
};

/**
 * What was learned is of the machine as it is after an event that was before. Of each context the first reference since that
 * event counts, so that drift which began while a later event was believed is not hidden.
 */
const goesOn = (state: DeviceState, accepting: Accepting, { eventId, validTime }: KnownEvent): DeviceState => {
  const back = state.regimes.flatMap(({ packed, learned }) =>
    learned !== undefined && learned.from >= validTime ? [{ packed, ...learned }] : [],
  );
  if (back.length === 0) return { ...state, accepting: { ...accepting, eventId } };
  const own = back.map(({ key, packed, center }) => [key, { windows: LEARN_WINDOWS, packed, center }] as const);
  return {
    ...state,
    ...unseen(),
    // The library has the newest first.
    own: { ...state.own, ...Object.fromEntries(own) },
    accepting: { ...accepting, eventId, since: back.map((b) => b.from).sort()[0] ?? accepting.since },
    regimes: state.regimes.filter(({ learned }) => learned === undefined || learned.from < validTime),
  };
};

type Regime = DeviceState['regimes'][number];

/**
 * Of each context the first reference since an event that stands: what was learned later, or after no such event, was learned
 * because something wrong was told, and drift may be in it. Of what is older than all known events nothing can be said.
 */
const firstOfEach = (regimes: readonly Regime[], reBaselines: readonly KnownEvent[], eventsFrom: string): Regime[] => {
  const eventOf = ({ learned }: Regime) =>
    reBaselines.findLast((e) => learned !== undefined && e.validTime <= learned.from);
  const isFirst = (r: Regime, from: string): boolean =>
    !regimes.some(
      (o) => o.learned?.key === r.learned?.key && eventOf(o) === eventOf(r) && (o.learned?.from ?? from) < from,
    );
  return regimes.filter(
    (r) =>
      r.learned === undefined ||
      r.learned.from <= eventsFrom ||
      (eventOf(r) !== undefined && isFirst(r, r.learned.from)),
  );
};

interface Change {
  readonly event: PlantEvent;
  /** As it was told before; absent: it was not. */
  readonly before: readonly KnownEvent[];
  /** It changed this machine, and is not still to come. */
  readonly stands: boolean;
}

/** What the machine is after the newest change that stands. */
const learning = (
  state: DeviceState,
  standing: readonly KnownEvent[],
  changes: readonly Change[],
  window: Span,
  rules: DriftRules,
): DeviceState => {
  const isReBaseline = (e: KnownEvent): boolean => doesOf(e, state, rules) === 're-baseline';
  if (!changes.some(({ event, before, stands }) => before.some(isReBaseline) || (stands && isReBaseline(event))))
    return state;
  const { accepting } = state;
  const after = standing.findLast(isReBaseline);
  // Where nothing was changed, the package holds.
  if (after === undefined) return accepting === null ? state : { ...state, ...unseen(), own: {}, accepting: null };
  if (accepting !== null && after.validTime <= accepting.since) return goesOn(state, accepting, after);
  return reBaselined(state, after, standing.filter(isReBaseline), window, rules.learnDays);
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

/** What is told anew, or otherwise than before; oldest first. */
const changesOf = (state: DeviceState, events: readonly PlantEvent[], window: Span) => {
  const chains = [...standingChains(events, EVER)].sort((a, b) => inOrder(a.event, b.event));
  let known = state.events;
  const changes: Change[] = [];
  for (const { event, ids } of chains) {
    const before = known.filter((k) => ids.includes(k.eventId));
    const [only, ...others] = before;
    const isHere =
      window.assets.includes(event.asset) || (only !== undefined && state.contexts[event.asset] !== undefined);
    const stands = isRuled(event.kind) && isHere && event.validTime <= window.to;
    const isFresh = stands && event.validTime > state.eventsFrom;
    if (only === undefined ? !isFresh : others.length === 0 && isSame(only, event)) {
      known = known.map((k) => (k === only ? { ...k, kind: event.kind, asset: event.asset } : k));
      continue;
    }
    const { eventId, validTime, kind, asset } = event;
    // What does not stand is forgotten: if it comes, it is taken into account then.
    known = [
      ...known.filter((k) => !ids.includes(k.eventId)),
      ...(stands ? [{ eventId, validTime, kind, asset }] : []),
    ];
    changes.push({ event, before, stands });
  }
  return { changes, standing: [...known].sort(inOrder) };
};

/**
 * Takes plant events into account that the fold did not know, and corrections of those that it knew. What is learned and
 * muted follows from the events that stand, so that a device that was told wrong ends as one that was told right at once.
 * @param events any order, repeated or not; with those that they correct.
 */
export const takeEvents = (
  state: DeviceState,
  events: readonly PlantEvent[],
  window: Span,
  rules: DriftRules,
): TakenEvents => {
  const { changes, standing } = changesOf(state, events, window);
  if (changes.length === 0) return { state, events: [], begun: [] };
  const does = (event: KnownEvent) => doesOf(event, state, rules);
  const muting = changes
    .filter((c) => c.stands && does(c.event) === 'mute')
    .filter(({ event, before }) => before.every((b) => event.validTime > b.validTime));
  // What was seen before is of the machine as it was: if it is still so, it is found again.
  const seen = muting.length === 0 ? state : { ...state, ...afresh(), suspected: null };
  const learned = learning(seen, standing, changes, window, rules);
  const isAnother = learned.accepting !== null && learned.accepting.since > (state.accepting?.since ?? '');
  const mutes = standing.filter((e) => does(e) === 'mute');
  const reBaselines = standing.filter((e) => does(e) === 're-baseline');
  const needed = [mutes, reBaselines].flatMap((e) => e.slice(-KEPT_OF_EACH));
  const dropped = standing.slice(0, -KEPT_EVENTS).filter((e) => !needed.includes(e));
  const muted = mutes.at(-1);
  return {
    state: {
      ...learned,
      regimes: firstOfEach(learned.regimes, reBaselines, state.eventsFrom),
      mutedUntil: muted === undefined ? null : daysAfter(muted.validTime, rules.muteDays),
      eventsFrom: dropped.map((e) => e.validTime).reduce(later, state.eventsFrom),
      events: standing.filter((e) => !dropped.includes(e)),
    },
    events: changes.map((c) => c.event),
    begun: changes
      .filter((c) => muting.includes(c) || (isAnother && c.event.eventId === learned.accepting?.eventId))
      .map((c) => c.event),
  };
};
