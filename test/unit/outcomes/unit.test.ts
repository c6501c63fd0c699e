import fc from 'fast-check';
import { type PlantEvent, ReportedEvent } from '#core/contracts/plant-event.ts';
import { coverageOf } from '#core/outcomes/coverage.ts';
import { joinOutcome } from '#core/outcomes/join.ts';
import { boundedLoss, decisionLoss } from '#core/outcomes/loss.ts';
import { standingEvents } from '#core/outcomes/standing.ts';
import { endOfUnit } from '#core/outcomes/unit.ts';

const day = (n: number): string => new Date(Date.UTC(2025, 0, n)).toISOString();
const EVER = day(3000);
const event = (eventId: string, more: Partial<PlantEvent> = {}): PlantEvent => ({
  schema: 'plant-event/1',
  eventId,
  kind: 'failure',
  site: 'plant-a',
  asset: 'm1',
  run: 'r1',
  index: 50,
  validTime: day(5),
  knownTime: day(6),
  reportedBy: 'maintenance',
  detail: {},
  ...more,
});
const ids = (events: readonly PlantEvent[], until = EVER) => standingEvents(events, until).map((e) => e.eventId);
const endOf = (events: readonly PlantEvent[], goesOnTo: number | null = 50) => {
  const end = endOfUnit(standingEvents(events, EVER), goesOnTo);
  return end === null ? null : `${end.end} at ${end.endedAt}`;
};

describe('events that stand', () => {
  const e1 = event('e1');
  const c1 = event('c1', { corrects: 'e1', knownTime: day(8), index: 40 });
  const c2 = event('c2', { corrects: 'c1', knownTime: day(9), index: 45 });

  it('are, of a chain of corrections, the last word: a correction of a correction holds', () => {
    expect(ids([e1, c1])).toEqual(['c1']);
    expect(ids([e1, c1, c2])).toEqual(['c2']);
    expect(ids([c2, e1])).toEqual(['c2', 'e1']);
  });
  it('are those that were known by then', () => {
    expect(ids([e1, c1, c2], day(8))).toEqual(['c1']);
    expect(ids([e1, c1, c2], day(5))).toEqual([]);
  });
  it('are the later said of two corrections of one event, and the correction of two said at once', () => {
    expect(ids([e1, c1, event('c3', { corrects: 'e1', knownTime: day(12) })])).toEqual(['c3']);
    expect(ids([e1, event('a', { corrects: 'e1' })])).toEqual(['a']);
  });
  it('are of one id the content that became known last', () => {
    const other = { ...e1, index: 7, knownTime: day(7) };
    expect(standingEvents([other, e1], EVER)).toEqual([other]);
  });
  it('are one of a ring of corrections, and end', () => {
    expect(ids([event('a', { corrects: 'b' }), event('b', { corrects: 'a', knownTime: day(9) })])).toEqual(['b']);
    expect(ids([event('a', { corrects: 'a' })])).toEqual(['a']);
  });
  it('are the same for any order and any repetition', () => {
    const some = fc.array(
      fc.record({
        id: fc.integer({ min: 0, max: 6 }),
        corrects: fc.option(fc.integer({ min: 0, max: 6 })),
        index: fc.integer({ min: 1, max: 9 }),
        known: fc.integer({ min: 1, max: 5 }),
      }),
      { maxLength: 14 },
    );
    fc.assert(
      fc.property(
        some.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all))),
        ([all, again]) => {
          const events = all.map((e) =>
            event(`e${e.id}`, {
              index: e.index,
              knownTime: day(e.known),
              ...(e.corrects === null ? {} : { corrects: `e${e.corrects}` }),
            }),
          );
          const more = again.map((e) => events[all.indexOf(e)] as PlantEvent);
          expect(standingEvents([...more, ...events.toReversed()], EVER)).toEqual(standingEvents(events, EVER));
        },
      ),
    );
  });
});

describe('the end of a unit', () => {
  it.each<[string, string | null, PlantEvent[]]>([
    ['failed at its failure', 'failed at 50', [event('e')]],
    ['failed where a repair found it failed', 'failed at 50', [event('e', { kind: 'repair', asFound: 'failed' })]],
    ['was prevented by a repair of damage', 'prevented at 50', [event('e', { kind: 'repair', asFound: 'damaged' })]],
    ['was healthy where nothing was found', 'healthy at 50', [event('e', { kind: 'repair', asFound: 'healthy' })]],
    ['is not known where nobody looked', null, [event('e', { kind: 'repair', asFound: 'unknown' })]],
    ['is not known where nobody said', null, [event('e', { kind: 'repair' })]],
    [
      'is what a finding says of a repair that says nothing',
      'prevented at 50',
      [event('e', { kind: 'repair' }), event('f', { kind: 'finding', asFound: 'damaged', index: 49 })],
    ],
    [
      'is not what was seen of it long before a repair that says nothing',
      null,
      [
        event('e', { kind: 'repair', knownTime: day(9) }),
        event('f', { kind: 'finding', asFound: 'healthy', index: 20 }),
      ],
    ],
    [
      'stays a failure where only an earlier frame was found well, however late that was filed',
      'failed at 50',
      [event('e'), event('f', { kind: 'inspection', asFound: 'healthy', index: 20, knownTime: day(9) })],
    ],
    [
      'is what a finding says at the last frame of a failure that was reported after it',
      'healthy at 60',
      [event('e', { index: 60 }), event('f', { kind: 'finding', asFound: 'healthy', knownTime: day(9) })],
    ],
    [
      'is as it was found at its end, whatever false failures were reported before',
      'healthy at 50',
      [event('e', { index: 20, knownTime: day(9) }), event('f', { kind: 'inspection', asFound: 'healthy' })],
    ],
    [
      'is as an inspection found it when it stopped',
      'healthy at 50',
      [event('e', { kind: 'inspection', asFound: 'healthy' })],
    ],
    [
      'is not an inspection after which it went on',
      null,
      [event('e', { kind: 'inspection', asFound: 'healthy', index: 20 })],
    ],
    [
      'is no failure where a later inspection found nothing',
      'healthy at 50',
      [event('e'), event('f', { kind: 'inspection', asFound: 'healthy', knownTime: day(9) })],
    ],
    [
      'stays a failure where an earlier inspection had found nothing',
      'failed at 50',
      [event('e'), event('f', { kind: 'inspection', asFound: 'healthy', knownTime: day(2) })],
    ],
    [
      'stays a failure where damage was found after it',
      'failed at 50',
      [event('e'), event('f', { kind: 'finding', asFound: 'damaged', knownTime: day(9) })],
    ],
    [
      'is healthy where a failure says itself that nothing was found',
      'healthy at 50',
      [event('e', { asFound: 'healthy' })],
    ],
    ['is contradicted by a unit that went on', 'contradicted at 30', [event('e', { index: 30 })]],
    [
      'is the true failure beside a false one',
      'failed at 50',
      [event('e'), event('f', { index: 30, knownTime: day(9) })],
    ],
    ['is not told by a changeover', null, [event('e', { kind: 'changeover' })]],
    ['is not told by a failure without a frame', null, [event('e', { index: null })]],
    [
      'is gone when the failure was retracted',
      null,
      [event('e'), event('r', { corrects: 'e', kind: 'inspection', asFound: 'unknown' })],
    ],
  ])('%s', (_, expected, events) => {
    expect(endOf(events)).toBe(expected);
  });
  it('rests on the events that say so, and is known when the last of them was', () => {
    const end = endOfUnit(
      [event('e', { kind: 'repair' }), event('f', { kind: 'finding', asFound: 'damaged', knownTime: day(9) })],
      null,
    );
    expect(end).toMatchObject({ events: ['e', 'f'], knownTime: day(9), validTime: day(5) });
  });
  it('was prevented, and would have lived no longer than the least that those say who opened it', () => {
    const repair = event('e', { kind: 'repair', detail: { leftAtMost: '30' } });
    const look = event('f', { kind: 'finding', asFound: 'damaged', detail: { leftAtMost: 20 } });
    expect(endOfUnit([repair, look], null)).toMatchObject({ end: 'prevented', leftAtMost: 20 });
    expect(endOfUnit([event('e', { detail: { leftAtMost: 20 } })], null)).not.toHaveProperty('leftAtMost');
    expect(endOfUnit([look], null)).toMatchObject({ leftAtMost: 20 });
  });
  it.each(['soon', -1, ' ', true, 'Infinity'])(
    'refuses an event that says it with %p, and takes it for not said',
    (leftAtMost) => {
      const given = event('e', { kind: 'repair', asFound: 'damaged', detail: { leftAtMost } });
      expect(ReportedEvent.safeParse(given).error?.issues[0]?.message).toContain('would have lived on at most');
      expect(endOfUnit([given], null)).not.toHaveProperty('leftAtMost');
    },
  );
  it('allows a frame that was under way when the machine stopped', () => {
    expect(endOf([event('e', { index: 49 })])).toBe('failed at 49');
    expect(endOf([event('e', { index: 48 })])).toBe('contradicted at 48');
  });
});

describe('loss', () => {
  it.each([
    ['right', 20, 20, 0],
    ['off by half the cap', 50, 20, 0.5],
    ['off by more than the cap', 200, 20, 1],
  ])('of an answer that is %s', (_, value, truth, loss) => {
    expect(boundedLoss(value, truth, 60)).toBe(loss);
  });
  const at = (index: number, value: number, end: 'failed' | 'prevented' | 'healthy' | 'contradicted') =>
    decisionLoss({ index, value }, { end, endedAt: 100 }, 60);
  it('holds the truth of a failed unit to the cap', () => {
    expect(at(1, 60, 'failed')).toBe(0);
    expect(at(70, 60, 'failed')).toBe(0.5);
  });
  it('of a unit that was repaired in time is one-sided: it would have lived longer, nobody knows how long', () => {
    expect(at(70, 60, 'prevented')).toBe(0);
    expect(at(70, 0, 'prevented')).toBe(0.5);
    expect(at(1, 60, 'prevented')).toBe(0);
  });
  it('of a unit that was found healthy is how far below the cap the answer was', () => {
    expect(at(100, 0, 'healthy')).toBe(1);
    expect(at(100, 75, 'healthy')).toBe(0);
  });
  it('of a contradicted end is none', () => {
    expect(at(100, 0, 'contradicted')).toBeNull();
  });
  it('is always between 0 and 1', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.integer({ min: 1, max: 500 }),
        fc.constantFrom('failed' as const, 'prevented' as const, 'healthy' as const),
        (value, index, end) => {
          const loss = at(index, value, end) as number;
          return loss >= 0 && loss <= 1;
        },
      ),
    );
  });
});

describe('joining decisions to an outcome', () => {
  const decided = (index: number, value: number | null) => ({ index, value, verdict: 'pass' });
  const failed = (endedAt: number) => ({ end: 'failed' as const, endedAt });
  it('measures how far off each was from the truth that became known', () => {
    expect(joinOutcome([decided(8, 5), decided(10, 0)], failed(10), 100)).toEqual({
      decisions: 2,
      withValue: 2,
      loss: 0.015,
      rmse: Math.sqrt((3 * 3 + 0) / 2),
      lastError: 0,
      meanError: 0.015,
    });
  });
  it('holds the truth to the cap of the label', () => {
    expect(joinOutcome([decided(1, 50)], failed(200), 50).rmse).toBe(0);
  });
  it('leaves out decisions after the end and those without a value', () => {
    expect(joinOutcome([decided(5, null), decided(20, 3)], failed(10), 100)).toEqual({
      decisions: 1,
      withValue: 0,
      loss: null,
      rmse: null,
      lastError: null,
      meanError: null,
    });
  });
  it('says no error of a unit that did not fail: its truth is a bound', () => {
    expect(joinOutcome([decided(5, 1)], { end: 'prevented', endedAt: 10 }, 10)).toMatchObject({
      loss: 0.4,
      rmse: null,
      lastError: null,
    });
  });
  it('says of a prevented failure how large the loss can have been, whatever life was left', () => {
    const prevented = { end: 'prevented', endedAt: 10 } as const;
    expect(joinOutcome([decided(5, 1)], prevented, 10)).toMatchObject({ loss: 0.4, lossAtMost: 0.9 });
    expect(joinOutcome([decided(6, 10)], prevented, 10)).toMatchObject({ loss: 0, lossAtMost: 0.6 });
    expect(joinOutcome([decided(5, null)], prevented, 10)).toMatchObject({ loss: null, lossAtMost: null });
    expect(joinOutcome([decided(5, 1)], { end: 'healthy', endedAt: 10 }, 10)).not.toHaveProperty('lossAtMost');
    expect(joinOutcome([decided(5, 1)], { end: 'contradicted', endedAt: 10 }, 10)).not.toHaveProperty('lossAtMost');
  });
  it('says too hopeful of a value above what a prevented failure would have lived at most, where who opened it said that', () => {
    const prevented = { end: 'prevented', endedAt: 10, leftAtMost: 3 } as const;
    expect(joinOutcome([decided(8, 9)], prevented, 20)).toMatchObject({ loss: 0.2, lossAtMost: 0.35 });
    expect(joinOutcome([decided(8, 4)], prevented, 20)).toMatchObject({ loss: 0, lossAtMost: 0.1 });
    expect(joinOutcome([decided(8, 1)], prevented, 20)).toMatchObject({ loss: 0.05, lossAtMost: 0.2 });
    expect(joinOutcome([decided(8, 40)], prevented, 4)).toMatchObject({ loss: 1 });
  });
  it('never says a loss that is larger than the largest, and none that a truth within the bounds would not give', () => {
    const numbers = fc.record({
      index: fc.integer({ min: 1, max: 50 }),
      lives: fc.integer({ min: 0, max: 80 }),
      left: fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
      value: fc.double({ min: -20, max: 120, noNaN: true }),
      cap: fc.integer({ min: 1, max: 90 }),
      truth: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(numbers, ({ index, lives, left, value, cap, truth }) => {
        const end = { end: 'prevented', endedAt: index + lives, leftAtMost: left } as const;
        const { loss, lossAtMost } = joinOutcome([decided(index, value)], end, cap);
        const least = Math.min(lives, cap);
        const true_ = least + truth * (Math.min(lives + (left ?? cap), cap) - least);
        expect(loss).toBeLessThanOrEqual(boundedLoss(value, true_, cap) + 1e-9);
        expect(lossAtMost).toBeGreaterThanOrEqual(boundedLoss(value, true_, cap) - 1e-9);
      }),
    );
  });
  it('says to which side a failed unit was judged wrongly, as a share of the cap', () => {
    expect(joinOutcome([decided(5, 10), decided(9, 4)], failed(10), 20).meanError).toBeCloseTo(0.2, 12);
    expect(joinOutcome([decided(5, 0)], failed(10), 20).meanError).toBe(-0.25);
    expect(joinOutcome([decided(9, 500)], failed(10), 20).meanError).toBe(1);
  });
});

describe('coverage', () => {
  const served = [
    { unit: 'm1/r1', lastAt: day(1) },
    { unit: 'm1/r2', lastAt: day(20) },
    { unit: 'm2/r1', lastAt: day(2) },
  ];
  it('counts units that are old enough, and those whose outcome is known', () => {
    expect(coverageOf(served, [{ unit: 'm1/r2', knownTime: day(21) }], 14)).toEqual({ matured: 3, known: 1 });
    expect(coverageOf(served, [], 30)).toEqual({ matured: 0, known: 0 });
  });
  it('takes the newest instant of the evidence for the present, not a clock', () => {
    expect(coverageOf(served, [], 14)).toEqual({ matured: 2, known: 0 });
  });
  it('of nothing is nothing', () => {
    expect(coverageOf([], [], 14)).toEqual({ matured: 0, known: 0 });
  });
});
