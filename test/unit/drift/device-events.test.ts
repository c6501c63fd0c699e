import fc from 'fast-check';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { takeEvents } from '#core/drift/device/device-events.ts';
import { type DeviceState, startOf } from '#core/drift/device/device-state.ts';
import { driftRules } from '#core/drift/policy.ts';
import {
  eventAt,
  HOUR,
  judgeAll,
  kindsOf,
  normal,
  ROWS,
  rowsOf,
  type Seen,
  START,
  seenOf,
  times,
  windowsOf,
} from '../../support/drift-device.ts';

const of = (n: number, seed: number, shift: readonly number[] = []): Seen[] => seenOf(n, seed, () => shift);
const MOVED = [1.5, 1.5, 1.5, 1.5];
/** A correction of an event, known a little later than it. */
const correction = (event: PlantEvent, more: Partial<PlantEvent>): PlantEvent => ({
  ...event,
  eventId: `${event.eventId}-corrected`,
  corrects: event.eventId,
  knownTime: new Date(Date.parse(event.knownTime) + HOUR).toISOString(),
  ...more,
});
const hourAt = (hours: number): string => new Date(START + hours * HOUR).toISOString();
const FIRST = eventAt(3, 'changeover');

/** Judges windows of which the first ones are judged before the correction is told. */
const corrected = (seen: readonly Seen[], before: number, events: readonly PlantEvent[], drift = {}) => {
  const windows = windowsOf(seen);
  const first = judgeAll(windows.slice(0, before), { events: [FIRST], drift });
  const rest = judgeAll(windows.slice(before), { events, drift, state: first.state });
  return { kinds: [...kindsOf(first.evidence), ...kindsOf(rest.evidence)], rest: rest.evidence, state: rest.state };
};

describe('a changeover that is corrected under another id', () => {
  const seen = [...of(3, 1), ...of(12, 2, MOVED)];
  it('is learned once, where it was not later than was told first', () => {
    const second = correction(FIRST, { validTime: hourAt(2.5) });
    const { kinds, rest } = corrected(seen, 7, [FIRST, second]);
    expect(kinds).toEqual([...times(3, () => 'steady'), ...times(8, () => 'warm-up'), ...times(4, () => 'steady')]);
    expect(rest[0]?.events.map((e) => e.eventId)).toEqual([second.eventId]);
    expect(rest.slice(1).flatMap((e) => e.events)).toEqual([]);
    expect(rest[0]?.says[0]).toContain(second.eventId);
  });
  it('is learned once from the corrected time on, where that is later, and what was learned before is no regime', () => {
    const later = [...of(3, 1), ...of(4, 2, [0, 2]), ...of(12, 3, MOVED)];
    const second = correction(FIRST, { validTime: hourAt(7) });
    const { kinds, state } = corrected(later, 6, [FIRST, second]);
    expect(kinds.slice(7)).toEqual([...times(8, () => 'warm-up'), ...times(4, () => 'steady')]);
    expect(state.regimes).toEqual([]);
    expect(state.accepting).toMatchObject({ eventId: second.eventId, since: second.validTime });
  });
  it('that has not come yet is taken back until it comes', () => {
    const second = correction(FIRST, { validTime: hourAt(9) });
    const { kinds } = corrected([...of(3, 1), ...of(6, 2, [0, 2]), ...of(9, 3, MOVED)], 5, [FIRST, second]);
    expect(kinds.slice(3)).toEqual([
      ...times(2, () => 'warm-up'),
      ...times(4, () => 'serious'),
      ...times(8, () => 'warm-up'),
      'steady',
    ]);
  });
  it('is taken back where nothing was changed, or another machine', () => {
    for (const more of [{ kind: 'inspection' as const }, { asset: 'asset-9' }]) {
      const { kinds, rest } = corrected(seen, 7, [FIRST, correction(FIRST, more)]);
      expect(kinds.slice(7)).toEqual(times(8, () => 'serious'));
      expect(rest.flatMap((e) => e.events)).toHaveLength(1);
    }
  });
  it('is a mute where it was a repair', () => {
    const second = correction(FIRST, { kind: 'repair' });
    const { kinds } = corrected(seen, 7, [FIRST, second], { muteDays: 0.25 });
    expect(kinds.slice(7)).toEqual([...times(2, () => 'muted'), ...times(6, () => 'serious')]);
  });
  it('under its own id is the same', () => {
    const { kinds } = corrected(seen, 7, [{ ...FIRST, kind: 'inspection' }]);
    expect(kinds.slice(7)).toEqual(times(8, () => 'serious'));
  });
  it('leaves alone what was learned of a change since', () => {
    const other = eventAt(10, 'tool-change');
    const two = [...of(3, 1), ...of(7, 2, MOVED), ...of(12, 3, [-1.5, -1.5, -1.5, 0])];
    const events = [FIRST, other, correction(FIRST, { validTime: hourAt(9) })];
    const windows = windowsOf(two);
    const first = judgeAll(windows.slice(0, 14), { events: [FIRST, other] });
    const rest = judgeAll(windows.slice(14), { events, state: first.state });
    expect(kindsOf(rest.evidence)).toEqual([...times(4, () => 'warm-up'), ...times(4, () => 'steady')]);
  });
});

describe('a repair that is corrected', () => {
  it('mutes from the corrected time on, and not from both', () => {
    const repair = eventAt(3, 'repair', 'repair');
    const drift = { muteDays: 0.125 };
    const kindsBy = (hours: number) => {
      const windows = windowsOf(of(12, 1, [0, 2]));
      const first = judgeAll(windows.slice(0, 5), { events: [repair], drift });
      const events = [repair, correction(repair, { validTime: hourAt(hours) })];
      return kindsOf(judgeAll(windows.slice(5), { events, drift, state: first.state }).evidence);
    };
    expect(kindsBy(2)).toEqual(times(7, () => 'serious'));
    expect(kindsBy(7)).toEqual([
      ...times(2, () => 'serious'),
      ...times(3, () => 'muted'),
      ...times(2, () => 'serious'),
    ]);
  });
});

describe('a changeover that is taken back after another one', () => {
  const told = (at: number, seen: readonly Seen[], more: Partial<PlantEvent> = { kind: 'inspection' }) => {
    const second = eventAt(at, 'changeover', 'second');
    const windows = windowsOf(seen);
    const first = judgeAll(windows.slice(0, at + 2), { events: [FIRST, second] });
    const rest = judgeAll(windows.slice(at + 2), {
      events: [FIRST, second, correction(second, more)],
      state: first.state,
    });
    return { kinds: kindsOf(rest.evidence), before: first.state, state: rest.state };
  };
  it('leaves that in force: what was learned of it holds again', () => {
    const { kinds, before, state } = told(14, [...of(3, 1), ...of(17, 2, MOVED)]);
    expect(kinds).toEqual(times(4, () => 'steady'));
    expect(state.accepting).toMatchObject({ eventId: FIRST.eventId, since: FIRST.validTime });
    expect(Object.values(state.own).map((o) => o.packed)).toEqual(before.regimes.map((r) => r.packed));
    expect(before.regimes).toHaveLength(1);
    expect(state.regimes).toEqual([]);
  });
  it('leaves that in force: what was not learned of it yet goes on to be', () => {
    const { kinds, state } = told(6, [...of(3, 1), ...of(15, 2, MOVED)]);
    expect(kinds).toEqual([...times(6, () => 'warm-up'), ...times(4, () => 'steady')]);
    expect(state.accepting?.eventId).toBe(FIRST.eventId);
  });
  it('hides no drift that began while it was believed', () => {
    const drifted = MOVED.map((m, i) => m + (i === 1 ? 2 : 0));
    const { kinds } = told(14, [...of(3, 1), ...of(11, 2, MOVED), ...of(6, 3, drifted)]);
    expect(kinds).toEqual(times(4, () => 'serious'));
  });
  it('and is told again for later is learned then', () => {
    const seen = [...of(3, 1), ...of(15, 2, MOVED), ...of(10, 3, [-1.5, -1.5, 0, 0])];
    const { kinds, state } = told(14, seen, { validTime: hourAt(18) });
    expect(kinds).toEqual([...times(2, () => 'steady'), ...times(8, () => 'warm-up'), ...times(2, () => 'steady')]);
    expect(state.regimes).toHaveLength(1);
  });
  it('is as one that was told first, where the one before is told late', () => {
    const windows = windowsOf([...of(3, 1), ...of(13, 2, MOVED)]);
    const second = eventAt(3.5, 'changeover', 'second');
    const first = judgeAll(windows.slice(0, 13), { events: [second] });
    const rest = judgeAll(windows.slice(13), { events: [FIRST, second], state: first.state });
    expect(kindsOf(rest.evidence)).toEqual(times(3, () => 'steady'));
    expect(rest.evidence[0]?.events.map((e) => e.eventId)).toEqual([FIRST.eventId]);
    expect(rest.state.accepting).toEqual(first.state.accepting);
  });
});

/** Judges windows in turns: up to a window, with the events that are known by then. */
const inTurns = (seen: readonly Seen[], turns: readonly (readonly [number, readonly PlantEvent[]])[], drift = {}) => {
  const windows = windowsOf(seen);
  let [state, from]: [DeviceState | null, number] = [null, 0];
  const kinds: string[] = [];
  for (const [to, events] of turns) {
    const judged = judgeAll(windows.slice(from, to), { events, drift, ...(state === null ? {} : { state }) });
    kinds.push(...kindsOf(judged.evidence));
    [state, from] = [judged.state, to];
  }
  return { kinds, state: state as unknown as DeviceState };
};

describe('what was learned because something wrong was told', () => {
  const SECOND = eventAt(14, 'changeover', 'second');
  const [noFirst, noSecond] = [FIRST, SECOND].map((e) => correction(e, { kind: 'inspection' })) as [
    PlantEvent,
    PlantEvent,
  ];
  it('hides no drift, in whatever order it is taken back', () => {
    const drift = [...of(3, 1), ...of(30, 2, MOVED)];
    const both = [FIRST, SECOND];
    const endsOf = (...between: (readonly [number, readonly PlantEvent[]])[]) =>
      inTurns(drift, [[14, [FIRST]], [26, both], ...between, [33, [...both, noFirst, noSecond]]]).kinds.slice(28);
    const right = times(5, () => 'serious');
    expect(endsOf()).toEqual(right);
    expect(endsOf([28, [...both, noFirst]])).toEqual(right);
    expect(endsOf([28, [...both, noSecond]])).toEqual(right);
  });
  it('is no regime that may come back, also where another change was told since', () => {
    const again = [...of(3, 1), ...of(11, 2, MOVED), ...of(12, 3), ...of(10, 4, MOVED)];
    const late = inTurns(again, [
      [14, [FIRST]],
      [20, [FIRST, SECOND]],
      [36, [FIRST, SECOND, noFirst]],
    ]);
    const soon = inTurns(again, [
      [13, [FIRST]],
      [14, [FIRST, noFirst]],
      [36, [FIRST, SECOND, noFirst]],
    ]);
    expect(late.kinds.slice(26)).toEqual(soon.kinds.slice(26));
    expect(late.kinds.slice(26)).not.toContain('recurring');
    expect(late.state.regimes).toEqual([]);
  });
  it('is none either where the event became a repair while another change was told', () => {
    const events = [{ ...FIRST, kind: 'repair' as const }, SECOND];
    const { state } = inTurns(
      [...of(3, 1), ...of(13, 2, MOVED)],
      [
        [14, [FIRST]],
        [16, events],
      ],
      { muteDays: 0.1 },
    );
    expect(state.regimes).toEqual([]);
    expect(state.accepting?.eventId).toBe('second');
  });
  it('is kept where the event that stands got another id while another change was told', () => {
    const renamed = correction(FIRST, {});
    const { state } = inTurns(
      [...of(3, 1), ...of(13, 2, MOVED)],
      [
        [14, [FIRST]],
        [16, [FIRST, renamed, SECOND]],
      ],
    );
    expect(state.regimes).toHaveLength(1);
  });
  it('comes back for an event that was kept without its kind, when the one since is taken back', () => {
    const windows = windowsOf([...of(3, 1), ...of(25, 2, MOVED)]);
    const { state } = judgeAll(windows.slice(0, 24), { events: [FIRST, SECOND] });
    const old = { ...state, events: state.events.map(({ eventId, validTime }) => ({ eventId, validTime })) };
    const rest = judgeAll(windows.slice(24), { events: [FIRST, SECOND, noSecond], state: old });
    expect(kindsOf(rest.evidence)).toEqual(times(4, () => 'steady'));
  });
});

describe('a correction of a correction that comes before what it corrects', () => {
  it('takes back all that stood for it', () => {
    const first = eventAt(3, 'changeover', 'first');
    const second = correction(first, { kind: 'tool-change' });
    const third = correction(second, { kind: 'repair', validTime: hourAt(3.5) });
    const seen = [...of(3, 1), ...of(20, 2, MOVED)];
    const drift = { muteDays: 0.04 };
    const right = inTurns(
      seen,
      [
        [12, [first]],
        [14, [first, second]],
        [23, [first, second, third]],
      ],
      drift,
    );
    const early = inTurns(
      seen,
      [
        [12, [first]],
        [14, [first, third]],
        [23, [first, second, third]],
      ],
      drift,
    );
    expect(early.kinds.slice(14)).toEqual(right.kinds.slice(14));
    expect(early.kinds.slice(14)).toEqual(times(9, () => 'serious'));
    expect(early.state.events.map((e) => e.eventId)).toEqual([third.eventId]);
  });
});

describe('a mute', () => {
  const rules = driftRules(undefined);
  const taken = (state: DeviceState, hours: number, ...events: PlantEvent[]) =>
    takeEvents(state, events, { from: hourAt(hours), to: hourAt(hours + 1), assets: ['asset-1'] }, rules).state;
  const start = startOf(hourAt(0));
  it('outlasts a changeover of the same time that is taken back', () => {
    const [repair, changeover] = [eventAt(3, 'repair', 'repair'), eventAt(3, 'changeover', 'changeover')];
    const before = taken(start, 3, repair, changeover);
    const after = taken(before, 4, repair, changeover, correction(changeover, { kind: 'inspection' }));
    expect([before.mutedUntil, after.mutedUntil]).toEqual([hourAt(27), hourAt(27)]);
  });
  it('outlasts that of a later repair that is taken back', () => {
    const [first, second] = [eventAt(3, 'repair', 'first'), eventAt(5, 'repair', 'second')];
    const before = taken(start, 5, first, second);
    const after = taken(before, 6, first, second, correction(second, { kind: 'inspection' }));
    expect([before.mutedUntil, after.mutedUntil]).toEqual([hourAt(29), hourAt(27)]);
  });
  it('is over where the repair was a changeover, before another that is learned', () => {
    const [repair, changeover] = [eventAt(3, 'repair', 'repair'), eventAt(5, 'changeover', 'changeover')];
    const before = taken(start, 5, repair, changeover);
    const after = taken(before, 6, repair, changeover, correction(repair, { kind: 'changeover' }));
    expect([before.mutedUntil, after.mutedUntil]).toEqual([hourAt(27), null]);
    expect(after.accepting).toEqual(before.accepting);
  });
  it('and what is learned outlast any number of events of the other kind', () => {
    const repair = eventAt(1, 'repair', 'repair');
    const changes = times(60, (i) => eventAt(2 + i / 60, 'changeover', `changeover-${i}`));
    const many = taken(start, 3, repair, ...changes);
    expect(many.mutedUntil).toBe(hourAt(25));
    expect(many.events.length).toBe(51);
    const changeover = eventAt(1, 'changeover', 'changeover');
    const repairs = times(60, (i) => eventAt(2 + i / 60, 'repair', `repair-${i}`));
    const learned = taken(start, 3, changeover, ...repairs);
    expect(taken(learned, 4, eventAt(4, 'repair', 'last')).accepting).toEqual(learned.accepting);
    const last = eventAt(4, 'changeover', 'last');
    expect(taken(learned, 4, last, { ...last, kind: 'inspection', knownTime: hourAt(9) }).accepting).toEqual(
      learned.accepting,
    );
    const both = taken(taken(learned, 4, last), 5, { ...last, kind: 'inspection', knownTime: hourAt(9) });
    expect(both.accepting?.eventId).toBe('changeover');
  });
  it('that was kept without its kind is told by what it did', () => {
    const repair = eventAt(3, 'repair', 'repair');
    const changeover = eventAt(3, 'changeover', 'changeover');
    const before = taken(start, 3, repair, changeover);
    const old = { ...before, events: before.events.map(({ eventId, validTime }) => ({ eventId, validTime })) };
    const after = taken(old, 4, eventAt(2, 'changeover', 'other'));
    expect(after.mutedUntil).toBe(hourAt(27));
    expect(after.accepting).toEqual(before.accepting);
  });
});

describe('what is learned after a changeover', () => {
  const moved = (context: string, n: number, seed: number): Seen[] =>
    of(n, seed, MOVED).map((s) => ({ ...s, context }));
  const seen = [...moved('red', 9, 1), ...moved('blue', 9, 2)];
  const judged = (learnDays: number) =>
    judgeAll(windowsOf(seen), { drift: { learnDays }, events: [eventAt(0.5, 'changeover')] });
  it('are contexts that begin to differ within the declared days, to their end', () => {
    const { evidence } = judged(10 / 24);
    expect(kindsOf(evidence)).toEqual([...times(9, () => 'warm-up'), ...times(8, () => 'warm-up'), 'steady']);
  });
  it('are none that begin later: these are as they were to training', () => {
    const { evidence } = judged(8 / 24);
    expect(kindsOf(evidence).slice(9)).not.toContain('warm-up');
    expect(evidence.at(-1)).toMatchObject({ against: 'fixed', state: 'serious' });
  });
  it('ends too where a state was kept from before it had an end', () => {
    const { state } = judgeAll(windowsOf(seen.slice(0, 9)), { events: [eventAt(0.5, 'changeover')] });
    const { eventId, contexts } = state.accepting as NonNullable<DeviceState['accepting']>;
    const kept = { ...state, accepting: { eventId, contexts } } as unknown as DeviceState;
    const windows = windowsOf(seen);
    const next = judgeAll(windows.slice(9, 10), { drift: { learnDays: 2 }, state: kept }).state;
    expect(next.accepting).toMatchObject({ since: hourAt(0.5), until: hourAt(9 + 48) });
  });
});

describe('a chain of corrections', () => {
  const links = fc.array(
    fc.record({
      hours: fc.integer({ min: 1, max: 30 }),
      kind: fc.constantFrom('changeover' as const, 'tool-change' as const),
    }),
    { minLength: 1, maxLength: 6 },
  );
  it('changes a device once for each time that is later, however often and in whatever pieces it is told', () => {
    fc.assert(
      fc.property(links, fc.array(fc.nat({ max: 6 }), { maxLength: 12 }), (chain, told) => {
        const all = chain.map(
          ({ hours, kind }, i): PlantEvent => ({
            ...eventAt(hours, kind, `e${i}`),
            knownTime: hourAt(100 + i),
            ...(i === 0 ? {} : { corrects: `e${i - 1}` }),
          }),
        );
        const rules = driftRules(undefined);
        const window = { from: hourAt(30), to: hourAt(31), assets: ['asset-1'] };
        let state = startOf(hourAt(0));
        let begun = 0;
        let known = 0;
        const standing: number[] = [];
        for (const n of [...told, all.length]) {
          known = Math.max(known, Math.min(n, all.length));
          if (known === 0) continue;
          const taken = takeEvents(state, all.slice(0, known).reverse(), window, rules);
          state = taken.state;
          begun += taken.begun.length;
          if (standing.length === 0 || taken.events.length > 0)
            standing.push((chain[known - 1] as { hours: number }).hours);
        }
        const records = standing.filter((h, i) => standing.slice(0, i).every((b) => h > b));
        expect(begun).toBe(records.length);
        expect(state.events).toHaveLength(1);
        expect(state.events[0]?.eventId).toBe(all.at(-1)?.eventId);
        expect(state.accepting?.since).toBe(hourAt(Math.max(...standing)));
        expect(takeEvents(state, all, window, rules)).toEqual({ state, events: [], begun: [] });
      }),
    );
  });
});

describe('plant events in whatever pieces', () => {
  const told = fc
    .record({
      id: fc.nat({ max: 6 }),
      hours: fc.nat({ max: 40 }),
      kind: fc.constantFrom<PlantEvent['kind']>('changeover', 'tool-change', 'repair', 'inspection'),
      asset: fc.constantFrom('asset-1', 'asset-2', 'asset-9'),
      corrects: fc.option(fc.nat({ max: 6 }), { nil: undefined }),
      known: fc.nat({ max: 100 }),
    })
    .map(
      ({ id, hours, kind, asset, corrects, known }): PlantEvent => ({
        ...eventAt(hours, kind, `e${id}`),
        asset,
        knownTime: hourAt(known),
        ...(corrects === undefined || corrects === id ? {} : { corrects: `e${corrects}` }),
      }),
    );
  it('are taken into account once, in any order', () => {
    const steps = fc.array(fc.tuple(fc.array(told, { maxLength: 5 }), fc.nat({ max: 40 })), { maxLength: 8 });
    fc.assert(
      fc.property(steps, (all) => {
        const rules = driftRules(undefined);
        let state = startOf(hourAt(0));
        const events: PlantEvent[] = [];
        for (const [more, hours] of all) {
          events.push(...more);
          const window = { from: hourAt(hours), to: hourAt(hours + 1), assets: ['asset-1', 'asset-2'] };
          const taken = takeEvents(state, events, window, rules);
          expect(takeEvents(state, [...events].reverse(), window, rules)).toEqual(taken);
          expect(takeEvents(taken.state, events, window, rules)).toEqual({ state: taken.state, events: [], begun: [] });
          state = taken.state;
        }
      }),
      { numRuns: 1000 },
    );
  });
  it('are forgotten under all their ids where they are still to come', () => {
    const rules = driftRules(undefined);
    const [a, b] = [eventAt(3, 'changeover', 'a'), eventAt(3, 'changeover', 'b')];
    const first = takeEvents(
      startOf(hourAt(0)),
      [a, b],
      { from: hourAt(3), to: hourAt(4), assets: ['asset-1'] },
      rules,
    );
    const both = [a, correction(b, { eventId: 'b', corrects: 'a', validTime: hourAt(20) })];
    const window = { from: hourAt(4), to: hourAt(5), assets: ['asset-1'] };
    const { state, events } = takeEvents(first.state, both, window, rules);
    expect(events.map((e) => e.eventId)).toEqual(['b']);
    expect(takeEvents(state, both, window, rules)).toEqual({ state, events: [], begun: [] });
  });
});

describe('a device that was told wrong', () => {
  const LAST = 14;
  const TOLD = 18;
  const WINDOWS = 32;
  // Each row with its opposite, so that windows of one machine are alike and as the package has them.
  const half = rowsOf(normal(5), ROWS / 2);
  const calm = [...half, ...half.map((row) => row.map((x) => -x))];
  const machines = [[0, 0, 0, 0], MOVED, [-1.5, -1.5, 0, 0], [2, -2, 2, -2]] as const;
  const hour = fc.integer({ min: 1, max: LAST });
  const draft = fc.record({
    kind: fc.constantFrom('changeover', 'tool-change', 'repair', 'inspection'),
    at: hour,
    told: hour,
  });
  const truth = fc.record({
    at: hour,
    machine: fc.constantFrom(null, ...machines),
    told: fc.integer({ min: 1, max: TOLD }),
    drafts: fc.array(draft, { maxLength: 3 }),
    isOneId: fc.boolean(),
  });
  type Truth = typeof truth extends fc.Arbitrary<infer T> ? T : never;
  /** An event as it was told, over and over, and when; the last is true: of no machine, nothing was changed. */
  const tellings = (
    { at, machine, told, drafts, isOneId }: Truth,
    n: number,
  ): { event: PlantEvent; told: number }[] => {
    const wrong = drafts.map((d) => ({ ...d, told: Math.min(d.told, told) })).sort((a, b) => a.told - b.told);
    const last = { kind: machine === null ? 'inspection' : 'changeover', at, told } as const;
    return [...wrong, last].map(({ kind, at: hours, told: by }, i) => ({
      told: by,
      event: {
        ...eventAt(hours, kind as PlantEvent['kind'], isOneId ? `e${n}` : `e${n}-${i}`),
        knownTime: hourAt(100 + i),
        ...(isOneId || i === 0 ? {} : { corrects: `e${n}-${i - 1}` }),
      },
    }));
  };
  it('ends as one that was told right at once', () => {
    const truths = fc.uniqueArray(truth, { minLength: 1, maxLength: 4, selector: (t) => t.at });
    fc.assert(
      fc.property(truths, (all) => {
        const machineAt = (h: number) =>
          all
            .filter((t) => t.machine !== null && t.at <= h)
            .sort((a, b) => a.at - b.at)
            .at(-1)?.machine ?? machines[0];
        const windows = windowsOf(
          times(WINDOWS, (h) => ({ rows: calm.map((row) => row.map((x, f) => x + (machineAt(h)[f] as number))) })),
        );
        const told = all.flatMap(tellings);
        const drift = { muteDays: 3 / 24 };
        let state: DeviceState | null = null;
        const kinds: string[] = [];
        for (const [h, window] of windows.entries()) {
          const events = told.filter((t) => t.told <= h).map((t) => t.event);
          const next = judgeAll([window], { events, drift, state });
          state = next.state;
          kinds.push(...kindsOf(next.evidence));
        }
        const atOnce = judgeAll(windows, { events: told.map((t) => t.event), drift }).state;
        expect(kinds.slice(TOLD + 9)).toEqual(times(WINDOWS - TOLD - 9, () => 'steady'));
        expect(state?.accepting?.eventId).toEqual(atOnce.accepting?.eventId);
        expect(state?.mutedUntil).toEqual(atOnce.mutedUntil);
        expect(Object.keys(state?.own ?? {})).toEqual(Object.keys(atOnce.own));
      }),
      { numRuns: 15 },
    );
  });
});
