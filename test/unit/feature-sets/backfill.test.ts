import fc from 'fast-check';
import type { RawObjectRecord } from '#core/contracts/lake.ts';
import { planBackfill } from '#core/feature-sets/backfill.ts';
import { aRawObject } from '../../support/raw-object.ts';
import { digest } from '../cli/fakes.ts';
import { DEFINITION } from './a-run.ts';

const REQUEST = {
  backfillId: 'b',
  featureSetDigest: digest('1'),
  site: 'plant-a',
  from: '2026-01-02',
  to: '2026-01-03',
  asset: null,
};
const object = (over: Partial<RawObjectRecord> & { firstIndex: number; lastIndex: number }): RawObjectRecord =>
  aRawObject({ key: `k${over.firstIndex}`, frames: over.lastIndex - over.firstIndex + 1, ...over });
const plan = (objects: readonly RawObjectRecord[], over: Partial<typeof REQUEST> = {}) =>
  planBackfill(
    { ...REQUEST, ...over },
    DEFINITION.signals,
    objects.map((o) => [o]),
  );

test('neighbours of one run are one part, other runs and assets parts of their own', () => {
  const { items, runs, objects, frames } = plan([
    object({ firstIndex: 51, lastIndex: 100 }),
    object({ firstIndex: 1, lastIndex: 50 }),
    object({ firstIndex: 1, lastIndex: 9, run: 'r2' }),
    object({ firstIndex: 1, lastIndex: 9, asset: 'm2' }),
  ]);
  expect(items.map((i) => [i.part, i.asset, i.run, i.first, i.last])).toEqual([
    [0, 'm1', 'r1', 1, 100],
    [1, 'm1', 'r2', 1, 9],
    [2, 'm2', 'r1', 1, 9],
  ]);
  expect({ runs, objects, frames }).toEqual({ runs: ['m1/r1', 'm1/r2', 'm2/r1'], objects: 4, frames: 118 });
});

test('a part has 20,000 frames or 16 MiB at most', () => {
  const long = [1, 2, 3].map((i) => object({ firstIndex: i * 10_000, lastIndex: i * 10_000 + 9_999 }));
  expect(plan(long).items.map((i) => [i.first, i.last])).toEqual([
    [10_000, 29_999],
    [30_000, 39_999],
  ]);
  const heavy = [1, 2].map((i) => object({ firstIndex: i, lastIndex: i, bytes: 10 * 1024 * 1024 }));
  expect(plan(heavy).items).toHaveLength(2);
});

test.each([
  ['of another site', { site: 'plant-b' }],
  ['that lacks a signal', { signals: ['speed'] }],
  ['without a valid frame', { frames: 0 }],
  ['that ended before the days', { firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T23:59:59.999Z' }],
  ['that begins after them', { firstAt: '2026-01-04T00:00:00.000Z', lastAt: '2026-01-05T00:00:00.000Z' }],
])('an object %s has no part', (_, over) => {
  expect(plan([object({ firstIndex: 1, lastIndex: 9, ...over })]).items).toEqual([]);
});

test('an object that lost a signal, or its frames, by a correction is read with all its versions', () => {
  const first = object({ firstIndex: 1, lastIndex: 9, bytes: 10 * 1024 * 1024 });
  const parts = (...later: Partial<RawObjectRecord>[]) =>
    planBackfill(REQUEST, DEFINITION.signals, [
      [first, ...later.map((l) => ({ ...first, ...l }))],
      [object({ firstIndex: 10, lastIndex: 12 })],
    ]);
  expect(parts({ signals: ['speed'] })).toMatchObject({ objects: 2, frames: 12, items: [{}, {}] });
  expect(parts({ frames: 0, signals: [] })).toMatchObject({ objects: 2, frames: 12 });
  expect(parts()).toMatchObject({ objects: 2, items: [{}] });
});

test('an object of which a version has times in the days is read', () => {
  const before = { firstAt: '2026-01-01T00:00:00.000Z', lastAt: '2026-01-01T23:59:59.999Z' };
  const within = { firstAt: '2026-01-02T00:00:00.000Z', lastAt: '2026-01-02T23:59:59.999Z' };
  const o = object({ firstIndex: 1, lastIndex: 9 });
  const versions = [
    { ...o, ...within },
    { ...o, ...before },
  ];
  expect(planBackfill(REQUEST, DEFINITION.signals, [versions]).items).toHaveLength(1);
});

test('an object whose times nobody wrote down is looked at', () => {
  expect(plan([object({ firstIndex: 1, lastIndex: 9 })]).items).toHaveLength(1);
});

test('only the asset that was asked for', () => {
  const two = [object({ firstIndex: 1, lastIndex: 9 }), object({ firstIndex: 1, lastIndex: 9, asset: 'm2' })];
  expect(plan(two, { asset: 'm2' } as never).items.map((i) => i.asset)).toEqual(['m2']);
});

test('every chosen frame is in exactly one part, whatever the order of the objects', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(60), { maxLength: 40 }), fc.infiniteStream(fc.nat()), (places, chance) => {
      const objects = places.map((p) =>
        object({ firstIndex: p * 900 + 1, lastIndex: (p + 1) * 900, run: `r${p % 3}`, key: `k${p}` }),
      );
      const { items } = plan(objects);
      for (const o of objects)
        expect(items.filter((i) => i.run === o.run && i.first <= o.firstIndex && o.lastIndex <= i.last)).toHaveLength(
          1,
        );
      const shuffled = objects
        .map((o) => ({ o, at: chance.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ o }) => o);
      expect(plan(shuffled)).toEqual(plan(objects));
    }),
  );
});
