import fc from 'fast-check';
import type { Frame } from '#core/contracts/frame.ts';
import { materialiseRange } from '#core/features/engine/rows.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { type StoreTask, storeFeatures } from '../../../lambdas/shared/feature-store.ts';
import { upload, versionedRegistry, versionedStore } from '../../support/feature-store.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import { DEFINITION, FEATURE_SET, hour, level } from '../feature-sets/a-run.ts';

const SET = digestOf(FEATURE_SET);
const TASK = { featureSetDigest: SET, definition: DEFINITION, site: 'plant-a', asset: 'm1', run: 'life-01' };
const frames = (first: number, last: number, value = (i: number) => i): Frame[] =>
  Array.from({ length: last - first + 1 }, (_, i) => level(first + i, value(first + i)));

const setUp = () => {
  const lake = versionedStore();
  const registry = versionedRegistry();
  const deps = { lake, registry };
  return {
    ...deps,
    send: (given: readonly Frame[], o = {}) => upload(deps, given, o),
    store: (range: Pick<StoreTask, 'first' | 'last'> & Partial<StoreTask>) =>
      storeFeatures(deps, { ...TASK, ...range }),
    async rows() {
      return (await rowsUnder(lake, 'features', 'features/store/')).sort(
        (a, b) =>
          (a.index as number) - (b.index as number) || ((a.known_time as string) < (b.known_time as string) ? -1 : 1),
      );
    },
  };
};
const brief = (rows: Awaited<ReturnType<ReturnType<typeof setUp>['rows']>>) =>
  rows.map((r) => [r.index, r.known_time, r.x]);

describe('the offline store', () => {
  it('has the rows that the feature code computes of the whole run, however the run was cut into uploads', async () => {
    const { send, store, rows } = setUp();
    for (const [first, last] of [
      [1, 7],
      [8, 8],
      [9, 30],
    ] as const) {
      await send(frames(first, last));
      await store({ first, last });
    }
    const expected = materialiseRange(DEFINITION, frames(1, 30), { first: 1, last: 30 });
    expect((await rows()).map((r) => [r.index, r.x, r.valid_time])).toEqual(
      expected.map((r) => [r.index, r.x, r.sourceTime]),
    );
  });

  it('keeps rows of a raw object and a day in one object, by the names of both', async () => {
    const { send, store } = setUp();
    const { key } = await send(frames(20, 26));
    const { written, rows } = await store({ first: 20, last: 26 });
    expect(rows).toBe(7);
    expect(written).toEqual([
      expect.stringMatching(
        /^features\/store\/feature_set=[0-9a-f]{64}\/site=plant-a\/date=2026-01-01\/m1\.life-01\.0000000020-0000000026\.[0-9a-f]{16}\.parquet$/,
      ),
      expect.stringContaining('/date=2026-01-02/m1.life-01.0000000020-0000000026.'),
    ]);
    expect(key).toContain('0000000020-0000000026');
  });

  it('writes nothing a second time, and says so', async () => {
    const { send, store, lake } = setUp();
    await send(frames(1, 9));
    const { written } = await store({ first: 1, last: 9 });
    const before = lake.puts.length;
    expect(await store({ first: 1, last: 9 })).toEqual({ rows: 9, written: [], unchanged: written, failed: [] });
    expect(lake.puts.length).toBe(before);
  });

  it('completes the windows of rows that were there before the frames before them', async () => {
    const { send, store, rows } = setUp();
    await send(frames(5, 9));
    await store({ first: 5, last: 9 });
    await send(frames(1, 4));
    await store({ first: 1, last: 4 });
    const expected = materialiseRange(DEFINITION, frames(1, 9), { first: 1, last: 9 });
    expect((await rows()).map((r) => [r.index, r.x])).toEqual(expected.map((r) => [r.index, r.x]));
  });

  it('takes a corrected upload in as known from its registration on, and keeps the rows before', async () => {
    const { send, store, rows } = setUp();
    await send(frames(1, 2));
    await send(frames(3, 9));
    await store({ first: 1, last: 9 });
    const before = brief(await rows());
    await send([level(1, 1), level(2, 200)], { at: hour(500) });
    const { written } = await store({ first: 1, last: 2 });
    expect(written).toHaveLength(1);
    const after = brief(await rows());
    expect(after.filter(([, known]) => known !== hour(500))).toEqual(before);
    expect(after.filter(([, known]) => known === hour(500))).toEqual([
      [2, hour(500), [200, 100.5]],
      [3, hour(500), [3, 68]],
      [4, hour(500), [4, 52]],
      [5, hour(500), [5, 53]],
    ]);
  });

  it('does not take the same bytes, uploaded again, for a correction', async () => {
    const { send, store } = setUp();
    await send(frames(1, 9));
    await store({ first: 1, last: 9 });
    await send(frames(1, 9), { at: hour(500) });
    expect(await store({ first: 1, last: 9 })).toMatchObject({ written: [], rows: 9 });
  });

  it('keeps apart bytes that came back after a correction', async () => {
    const { send, store, rows } = setUp();
    for (const [at, value] of [
      [undefined, 1],
      [hour(500), 2],
      [hour(600), 1],
    ] as const)
      await send([level(1, value)], at === undefined ? {} : { at });
    await store({ first: 1, last: 1 });
    expect((await rows()).map((r) => [r.known_time, r.x[0]])).toEqual([
      [hour(1), 1],
      [hour(500), 2],
      [hour(600), 1],
    ]);
  });

  it('leaves alone objects that lack a signal of the set', async () => {
    const { send, store, rows } = setUp();
    await send([{ ...level(1, 1), signals: { speed: { value: 1, quality: 'GOOD' } } }]);
    expect(await store({ first: 1, last: 1 })).toEqual({ rows: 0, written: [], unchanged: [], failed: [] });
    expect(await rows()).toEqual([]);
  });

  it('writes the days only that were asked for', async () => {
    const { send, store } = setUp();
    await send(frames(1, 60));
    const { written } = await store({ first: 1, last: 60, days: { from: '2026-01-02', to: '2026-01-02' } });
    expect(written.map((k) => /date=([^/]+)/.exec(k)?.[1])).toEqual(['2026-01-02']);
  });

  it('names a raw object whose bytes are gone and those whose windows need it, and goes on with the others', async () => {
    const { send, store, lake, rows } = setUp();
    const { key } = await send(frames(1, 3));
    const { key: next } = await send(frames(4, 9));
    lake.forget(key);
    // Its name is still listed, as that of an object that was replaced without the registry knowing.
    await lake.put(key, Buffer.from('other'));
    await send(frames(10, 12));
    expect((await store({ first: 1, last: 12 })).failed).toEqual([
      { key, reason: expect.stringContaining('is not what was registered') },
      { key: next, reason: `its windows need ${key}, which cannot be read` },
    ]);
    expect((await rows()).map((r) => [r.index, r.x])).toEqual([
      [10, [10, 8.5]],
      [11, [11, 9.5]],
      [12, [12, 10.5]],
    ]);
  });

  it('looks again at what was registered while it wrote', async () => {
    const { send, store, lake, rows } = setUp();
    await send(frames(5, 9));
    const late = await send(frames(1, 4), { registered: false });
    const put = lake.put.bind(lake);
    let first = true;
    lake.put = async (...args: Parameters<typeof put>) => {
      if (first) late.register();
      first = false;
      return put(...args);
    };
    await store({ first: 5, last: 9 });
    const expected = materialiseRange(DEFINITION, frames(1, 9), { first: 5, last: 9 });
    expect((await rows()).map((r) => [r.index, r.x])).toEqual(expected.map((r) => [r.index, r.x]));
  });

  it('gives up, to be tried again, when uploads go on being registered', async () => {
    const { send, store, lake, registry } = setUp();
    await send(frames(1, 9));
    const list = lake.list.bind(lake);
    let more = 10;
    lake.list = async (prefix, options) => {
      await upload({ lake, registry }, [level(more, more)]);
      more += 1;
      return list(prefix, options);
    };
    await expect(store({ first: 1, last: 30 })).rejects.toThrow(/faster than their rows are written; try later/);
  });

  it('ends with the same rows, whatever the order of uploads, of their events and of repetitions', async () => {
    const cuts = [
      [1, 3],
      [4, 4],
      [5, 9],
      [10, 12],
    ] as const;
    const expected = await (async () => {
      const { send, store, rows } = setUp();
      for (const [first, last] of cuts) await send(frames(first, last));
      await store({ first: 1, last: 12 });
      return brief(await rows());
    })();
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.shuffledSubarray([0, 1, 2, 3, 0, 2], { minLength: 2 }),
        async (order, again) => {
          const { send, store, rows } = setUp();
          for (const i of order) {
            const [first, last] = cuts[i] as (typeof cuts)[0];
            await send(frames(first, last));
            await store({ first, last });
          }
          for (const i of again) await store({ first: cuts[i]?.[0] as number, last: cuts[i]?.[1] as number });
          expect(brief(await rows())).toEqual(expected);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('ends with the same rows when functions work side by side', async () => {
    const { send, store, rows } = setUp();
    await Promise.all(
      [0, 1, 2, 3].map(async (i) => {
        const [first, last] = [1 + 3 * i, 3 + 3 * i];
        for (let k = 0; k < 3 * ((7 * i) % 4); k++) await Promise.resolve();
        await send(frames(first, last));
        await store({ first, last });
      }),
    );
    const expected = materialiseRange(DEFINITION, frames(1, 12), { first: 1, last: 12 });
    expect((await rows()).map((r) => [r.index, r.x])).toEqual(expected.map((r) => [r.index, r.x]));
  });
});
