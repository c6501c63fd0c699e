import fc from 'fast-check';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { LabelDefinition } from '#core/contracts/use-case.ts';
import * as labels from '#core/outcomes/labels.ts';

const label: LabelDefinition = { outcome: 'remaining-useful-life', from: 'failure', cap: 60, unit: 'h' };
const { remainingLife } = labels;
const endOfRun = (...args: Parameters<typeof labels.endOfRun>) => labels.endOfRun(...args)?.index ?? null;
const of = { asset: 'm1', run: 'life-01' };
const day = (n: number) => new Date(Date.UTC(2026, 0, n)).toISOString();

const failure = (over: Partial<PlantEvent> = {}): PlantEvent => ({
  schema: 'plant-event/1',
  eventId: 'e1',
  kind: 'failure',
  site: 'plant-a',
  asset: 'm1',
  run: 'life-01',
  index: 100,
  validTime: day(5),
  knownTime: day(6),
  reportedBy: 'maintenance',
  detail: {},
  ...over,
});

describe('endOfRun', () => {
  it('is the frame of the failure', () => {
    expect(labels.endOfRun([failure()], of, day(6))).toMatchObject({ eventId: 'e1', index: 100 });
  });

  it('is unknown the moment before anyone knew, though the machine had failed', () => {
    expect(endOfRun([failure()], of, '2026-01-05T23:59:59.999Z')).toBeNull();
  });

  it.each([
    ['another machine', failure({ asset: 'm2' })],
    ['another run', failure({ run: 'life-02' })],
    ['another kind', failure({ kind: 'finding' })],
    ['no frame', failure({ index: null })],
  ])('ignores an event of %s', (_, event) => {
    expect(endOfRun([event], of, day(9))).toBeNull();
  });

  it('takes the correction that became known last, in any order', () => {
    const reports = [failure(), failure({ eventId: 'e2', index: 90, knownTime: day(8) })];
    expect(endOfRun(reports, of, day(9))).toBe(90);
    expect(endOfRun(reports.toReversed(), of, day(9))).toBe(90);
    expect(endOfRun(reports, of, day(7))).toBe(100);
  });

  it('never changes by what becomes known later', () => {
    const events = fc.array(
      fc.record({ id: fc.string(), index: fc.integer({ min: 1, max: 500 }), known: fc.integer({ min: 1, max: 28 }) }),
    );
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 28 }), (all, until) => {
        const told = all.map((e) => failure({ eventId: e.id, index: e.index, knownTime: day(e.known) }));
        const known = told.filter((e) => e.knownTime <= day(until));
        expect(endOfRun(told, of, day(until))).toBe(endOfRun(known, of, day(until)));
      }),
    );
  });
});

describe('remainingLife', () => {
  it.each([
    [100, 100, 0],
    [100, 41, 59],
    [100, 40, 60],
    [100, 1, 60],
  ])('of a run that ended at %i is, at frame %i, %i', (end, index, expected) => {
    expect(remainingLife(label, end, index)).toBe(expected);
  });

  it('is unknown while the run goes on', () => {
    expect(remainingLife(label, null, 5)).toBeNull();
  });
});
