import fc from 'fast-check';
import type { Frame } from '#core/contracts/frame.ts';
import type { LiveRun } from '#core/contracts/source.ts';
import { lapMoved, moveFrame, moveInstant, moveRuns } from '../../../local/plant/lives.ts';

const HOUR_MS = 3_600_000;
const MONTH_MS = 30 * 24 * HOUR_MS;
const T0 = Date.parse('2000-01-01T00:00:00.000Z');
const at = (hour: number): string => new Date(T0 + hour * HOUR_MS).toISOString();

/** A run of frames an hour apart. */
const life = (run: string, fromHour: number, hours: number): LiveRun => ({
  asset: 'm1',
  run,
  remainingAtEnd: 0,
  frames: Array.from({ length: hours }, (_, i) => ({
    schema: 'frame/1' as const,
    site: 'plant-a',
    asset: 'm1',
    run,
    index: i + 1,
    context: 'normal',
    sourceTime: at(fromHour + i),
    receivedTime: at(fromHour + i),
    signals: {},
  })),
});

const sent = (lane: readonly LiveRun[], moved: number, until: number | null = null): number[] =>
  moveRuns(lane, moved, until).flatMap((m) => m.run.frames.map((f) => Date.parse(moveFrame(f, m.moved).sourceTime)));

describe('runs of a machine', () => {
  test('that follow each other stay as their source says', () => {
    const lane = [life('a', 10, 5), life('b', 15, 5)];
    expect(moveRuns(lane, 0, null).map((m) => [m.run.run, m.moved, m.until])).toEqual([
      ['a', 0, T0 + 14 * HOUR_MS],
      ['b', 0, T0 + 19 * HOUR_MS],
    ]);
  });

  test('that overlap follow each other two hours apart, in the order of the lane', () => {
    const lane = [life('a', 10, 5), life('b', 10, 3)];
    expect(sent(lane, 0).map((t) => (t - T0) / HOUR_MS)).toEqual([10, 11, 12, 13, 14, 16, 17, 18]);
  });

  test('without frames take no time', () => {
    expect(moveRuns([life('a', 10, 0), life('b', 10, 1)], 0, null).map((m) => m.run.run)).toEqual(['b']);
  });
});

describe('a lap', () => {
  const lanes = [[life('a', 50, 5)], [life('b', 20, 5)]];

  test('begins as its source says before anything was lived through, or when that is over', () => {
    expect(lapMoved(lanes, null)).toBe(0);
    expect(lapMoved(lanes, T0 + 18 * HOUR_MS)).toBe(0);
  });

  test('is whole months later on all machines where one of them would go back', () => {
    expect(lapMoved(lanes, T0 + 19 * HOUR_MS)).toBe(MONTH_MS);
    expect(lapMoved(lanes, T0 + 800 * HOUR_MS)).toBe(2 * MONTH_MS);
  });

  test('without frames is moved by nothing', () => {
    expect(lapMoved([[]], T0)).toBe(0);
  });
});

test('a frame is moved with the time at which it was received', () => {
  const frame = life('a', 1, 1).frames[0] as Frame;
  expect(moveFrame(frame, HOUR_MS)).toEqual({ ...frame, sourceTime: at(2), receivedTime: at(2) });
  expect(moveInstant(at(1), 90_000)).toBe('2000-01-01T01:01:30.000Z');
});

const runs = fc.array(fc.tuple(fc.nat(3000), fc.nat(12)), { maxLength: 5 });
const laps = fc.array(
  fc.record({ lanes: fc.array(runs, { minLength: 1, maxLength: 3 }), rounds: fc.integer({ min: 1, max: 3 }) }),
  { minLength: 1, maxLength: 5 },
);

test('over runs, rounds, laps and starts the source times of a machine rise, and keep their spacing within a run', () => {
  fc.assert(
    fc.property(laps, (played) => {
      const newest = new Map<number, number>();
      // What is kept over a start: one instant for all machines.
      let lived: number | null = null;
      for (const { lanes, rounds } of played) {
        const lives = lanes.map((lane) => lane.map(([from, hours], k) => life(`r${k}`, from, hours)));
        const moved = lapMoved(lives, lived);
        for (const [m, lane] of lives.entries()) {
          let until: number | null = null;
          for (let round = 0; round < rounds; round++)
            for (const run of moveRuns(lane, moved, until)) {
              until = run.until;
              lived = Math.max(lived ?? until, until);
              const times = run.run.frames.map((f) => Date.parse(moveFrame(f, run.moved).sourceTime));
              for (const [i, time] of times.entries()) {
                if (i > 0) expect(time - (times[i - 1] as number)).toBe(HOUR_MS);
                expect(time).toBeGreaterThan(newest.get(m) ?? Number.NEGATIVE_INFINITY);
                newest.set(m, time);
              }
              expect(times.at(-1)).toBe(until);
            }
        }
      }
    }),
  );
});
