import fc from 'fast-check';
import type { FrameSource } from '#core/feature-sets/frame-versions.ts';
import { frameVersions } from '#core/feature-sets/frame-versions.ts';
import { rowHistory, type StoreRow } from '#core/feature-sets/row-history.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { DEFINITION, hour, level, randomSources, source } from './a-run.ts';

const rowsOf = (sources: readonly FrameSource[], wanted: readonly FrameSource[] = sources): readonly StoreRow[] =>
  [...rowHistory(DEFINITION, sources, new Set(wanted)).values()].flat();
const brief = (rows: readonly StoreRow[]) => rows.map((r) => [r.index, r.known_time, r.x]);
const sorted = (rows: readonly StoreRow[]) =>
  [...rows].sort((a, b) => a.index - b.index || (a.known_time < b.known_time ? -1 : 1));

test('a row is known when the last frame of its window was received, not before its own time', () => {
  const frames = [level(1, 1, { receivedTime: hour(9) }), level(2, 2), level(3, 3, { receivedTime: hour(1) })];
  expect(brief(rowsOf([source('k', frames)]))).toEqual([
    [1, hour(9), [1, 1]],
    [2, hour(9), [2, 1.5]],
    [3, hour(9), [3, 2]],
  ]);
  expect(brief(rowsOf([source('k', [level(3, 3, { receivedTime: hour(1) })])]))).toEqual([[3, hour(3), [3, 3]]]);
});

test('a correction gives the rows of its windows again, known from its registration on, and changes none before', () => {
  const frames = [1, 2, 3, 4, 5, 6].map((i) => level(i, i));
  const rows = rowsOf([
    source('a', frames.slice(0, 2)),
    source('b', frames.slice(2)),
    source('a', [level(1, 7), level(2, 2)], hour(99)),
  ]);
  expect(brief(rows.filter((r) => r.source === 'b' && r.known_time !== hour(99)))).toEqual([
    [3, hour(3), [3, 2]],
    [4, hour(4), [4, 2.5]],
    [5, hour(5), [5, 3.5]],
    [6, hour(6), [6, 4.5]],
  ]);
  expect(brief(rows.filter((r) => r.known_time === hour(99)))).toEqual([
    [1, hour(99), [7, 7]],
    [2, hour(99), [2, 4.5]],
    [3, hour(99), [3, 4]],
    [4, hour(99), [4, 4]],
  ]);
});

test('a correction by which a row loses its features says so with an empty vector', () => {
  const rows = rowsOf([source('a', [level(1, 1)]), source('a', [level(1, null)], hour(50))]);
  expect(brief(rows)).toEqual([
    [1, hour(1), [1, 1]],
    [1, hour(50), []],
  ]);
});

test('a correction that is there before the row is known leaves one row', () => {
  const late = level(2, 2, { receivedTime: hour(60) });
  const rows = rowsOf([source('a', [level(1, 1)]), source('a', [level(1, 3)], hour(50)), source('b', [late])]);
  expect(brief(rows.filter((r) => r.index === 2))).toEqual([[2, hour(60), [2, 2.5]]]);
});

test('the same content again, under whatever key, is no correction', () => {
  const frames = [level(1, 1), level(2, 2)];
  const rows = rowsOf([source('a', frames), source('b', frames), source('a', frames, hour(50))]);
  expect(rows.map((r) => [r.index, r.source])).toEqual([
    [1, 'a'],
    [2, 'a'],
  ]);
});

test('a frame of another key that was received later with other content corrects', () => {
  const rows = rowsOf([source('a', [level(1, 1)]), source('b', [level(1, 2, { receivedTime: hour(5) })])]);
  expect(rows.map((r) => [r.source, r.known_time, r.x[0]])).toEqual([
    ['a', hour(1), 1],
    ['b', hour(5), 2],
  ]);
});

test('the order of the sources does not matter', () => {
  fc.assert(
    fc.property(randomSources, fc.infiniteStream(fc.nat()), (sources, chance) => {
      const shuffled = sources
        .map((s) => ({ s, at: chance.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ s }) => s);
      expect(sorted(rowsOf(shuffled))).toEqual(sorted(rowsOf(sources)));
    }),
  );
});

test('no two rows have the same index and known time', () => {
  fc.assert(
    fc.property(randomSources, (sources) => {
      const rows = rowsOf(sources).map((r) => `${r.index} ${r.known_time}`);
      expect(new Set(rows).size).toBe(rows.length);
    }),
  );
});

test('at every instant the newest known row is what the engine computes of the frames as they were known then', () => {
  fc.assert(
    fc.property(randomSources, (sources) => {
      const rows = rowsOf(sources);
      const histories = frameVersions(sources);
      const compiled = compileFeatureSet(DEFINITION.featureSet, DEFINITION.signals);
      for (let h = 0; h <= 64; h++) {
        const at = Date.parse(hour(h));
        for (const [i, versions] of histories.entries()) {
          const known = histories.slice(0, i + 1).map((v) => v.findLast((f) => f.known <= at));
          const index = versions[0]?.frame.index as number;
          const stored = sorted(rows.filter((r) => r.index === index && r.known_time <= hour(h))).at(-1);
          // Before all frames of its stretch were known the store says nothing.
          if (known.some((f) => f === undefined)) continue;
          const window = compiled.open();
          const vectors = known.map((f) => window.push(f!.frame));
          const vector = vectors.at(-1)!;
          expect(stored?.x ?? []).toEqual(vector.ok ? vector.x : []);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('nothing known later reaches a row: without it the row is the same', () => {
  fc.assert(
    fc.property(randomSources, fc.integer({ min: 1, max: 60 }), (sources, h) => {
      const until = sources.map((s) => ({
        ...s,
        frames:
          s.correctedAt !== null && s.correctedAt > hour(h) ? [] : s.frames.filter((f) => f.receivedTime <= hour(h)),
      }));
      const strip = (rows: readonly StoreRow[]) => brief(sorted(rows));
      const then = strip(rowsOf(until));
      const all = strip(rowsOf(sources).filter((r) => r.known_time <= hour(h)));
      // Rows that were made then without a frame that came later are not made with hindsight.
      for (const row of all) expect(then).toContainEqual(row);
    }),
  );
});

test('rows of each source alone, with the frames before it, are those of all at once', () => {
  fc.assert(
    fc.property(randomSources, (sources) => {
      const together = sorted(rowsOf(sources));
      const apart = sources.flatMap((s) => rowsOf(sources, [s]));
      expect(sorted(apart)).toEqual(together);
    }),
  );
});
