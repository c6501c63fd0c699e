import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { type DecidedFrame, joinedEventId, type KnownUnit, resolveEvent, unitAt } from '#core/outcomes/resolve.ts';

const at = (hour: number): string => new Date(Date.UTC(2025, 0, 1, hour)).toISOString();
/** A run with a frame each hour from `first` on; frame indexes count from 1. */
const unit = (run: string, first: number, frames: number): KnownUnit => ({
  run,
  first: 1,
  last: frames,
  firstAt: at(first),
  lastAt: at(first + frames - 1),
});
const event = (more: Partial<PlantEvent> = {}): PlantEvent => ({
  schema: 'plant-event/1',
  eventId: 'e1',
  kind: 'failure',
  site: 'plant-a',
  asset: 'm1',
  run: null,
  index: null,
  validTime: at(14),
  knownTime: at(40),
  reportedBy: 'shift',
  detail: {},
  ...more,
});
const units = [unit('r1', 0, 10), unit('r2', 12, 10)];
const framesOf = (run: string): DecidedFrame[] => {
  const first = run === 'r1' ? 0 : 12;
  return Array.from({ length: 10 }, (_, i) => ({ run, index: i + 1, sourceTime: at(first + i) }));
};
const resolve = (e: PlantEvent, known: readonly KnownUnit[] = units) =>
  resolveEvent(e, known, {
    frames: async (run) => framesOf(run),
    decision: async (id) => (id === 'd4' ? { ...(framesOf('r1')[3] as DecidedFrame), asset: 'm1' } : null),
  });

describe('the unit that ran at a time', () => {
  it.each([
    ['within a unit', 14, 'r2'],
    ['between two: the one that stopped last', 11, 'r1'],
    ['after the last, within seven days', 21 + 7 * 24, 'r2'],
    ['after that: none', 22 + 7 * 24, undefined],
    ['before the first: none', -1, undefined],
  ])('%s', (_, hour, run) => {
    expect(unitAt(units, at(hour))?.run).toBe(run);
  });
  it('is, of several that ran, the one that began last', () => {
    expect(unitAt([unit('a', 0, 30), unit('b', 5, 10)], at(8))?.run).toBe('b');
  });
});

describe('what an event speaks of', () => {
  it('is what it says itself', async () => {
    expect(await resolve(event({ run: 'other', index: 3 }), [])).toEqual({ run: 'other', index: 3, by: 'named' });
  });
  it('is the last frame of the run it names by then', async () => {
    expect(await resolve(event({ run: 'r2' }))).toEqual({ run: 'r2', index: 3, by: 'named' });
    expect(await resolve(event({ run: 'r2', validTime: at(500) }))).toEqual({ run: 'r2', index: 10, by: 'named' });
    expect(await resolve(event({ run: 'r2', validTime: at(3) }))).toBeNull();
    expect(await resolve(event({ run: 'unknown' }))).toBeNull();
  });
  it('is by asset and time where it names nothing, with its own index where it has one', async () => {
    expect(await resolve(event())).toEqual({ run: 'r2', index: 3, by: 'time' });
    expect(await resolve(event({ index: 9 }))).toEqual({ run: 'r2', index: 9, by: 'time' });
  });
  it('is the run of the decision it answers, at that frame or a later one', async () => {
    expect(await resolve(event({ decision: 'd4', validTime: at(1) }))).toEqual({ run: 'r1', index: 4, by: 'decision' });
    expect(await resolve(event({ decision: 'd4', validTime: at(6) }))).toEqual({ run: 'r1', index: 7, by: 'decision' });
  });
  it('is by time where the decision is not known, or of another machine or run than it says', async () => {
    expect(await resolve(event({ decision: 'd9' }))).toMatchObject({ run: 'r2', by: 'time' });
    expect(await resolve(event({ decision: 'd4', asset: 'm2' }), [])).toBeNull();
    expect(await resolve(event({ decision: 'd4', run: 'r2' }))).toMatchObject({ run: 'r2', by: 'named' });
  });
});

describe('the id of a joined event', () => {
  it('says which event was joined, and stays an id that the contract allows', () => {
    expect(joinedEventId('e1', 'x')).toBe('e1~joined');
    const long = joinedEventId('e'.repeat(128), `sha256:${'7'.repeat(64)}`);
    expect(long.length).toBeLessThanOrEqual(128);
    expect(long).toContain('7'.repeat(16));
  });
});
