import fc from 'fast-check';
import { CompactionPlan } from '../../../core/contracts/compaction.ts';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import type { LakeRow } from '../../../core/contracts/lake-tables.ts';
import { mergeRows, planParts } from '../../../core/lake/compaction.ts';
import { observationRows } from '../../../core/lake/message-rows.ts';
import { makeHandler } from '../../../lambdas/compact/handler.ts';
import { landRows } from '../../../lambdas/shared/landing.ts';
import { rowsFromParquet, rowsToParquet } from '../../../lambdas/shared/table-file.ts';
import { memoryStore } from '../../support/fakes.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import { memoryFiles } from '../../support/memory-files.ts';
import { memoryLanding, observations } from '../../support/memory-landing.ts';

const DAY = { table: 'observations', site: 'plant-a', date: '2026-01-02' } as const;
const GRACE_MS = 3_600_000;
const rowsOf = (sequence: number, values?: readonly number[]) => observationRows(observations(sequence, values));

const setUp = (files: number, over: { graceMs?: number; workMs?: number } = {}) => {
  const objects = new Map<string, Uint8Array>();
  for (let i = 1; i <= files; i++)
    objects.set(lakeKeys.hot({ ...DAY, batch: `b${i}` }), rowsToParquet('observations', rowsOf(i, [i, i + 0.5])));
  const lake = memoryStore('lake', objects);
  const clock = { ms: Date.parse('2026-01-03T02:00:00Z') };
  const deps = {
    lake,
    files: memoryFiles(objects),
    now: () => new Date(clock.ms).toISOString(),
    graceMs: over.graceMs ?? GRACE_MS,
    workMs: over.workMs ?? 600_000,
  };
  return { objects, clock, deps, compact: makeHandler(deps) };
};
type SetUp = ReturnType<typeof setUp>;

const keys = ({ objects }: SetUp, prefix: string) => [...objects.keys()].filter((k) => k.startsWith(prefix)).sort();
const HOT = lakeKeys.landedPrefix('hot', DAY);
const COLD = lakeKeys.landedPrefix('cold', DAY);

describe('compaction', () => {
  it('goes from many small files to one, a step an hour, and says each step', async () => {
    const s = setUp(3);
    const states: string[] = [];
    for (let hour = 0; hour < 3; hour++) {
      states.push(...(await s.compact({})).days.map((d) => d.state));
      s.clock.ms += GRACE_MS;
    }
    expect(states).toEqual(['written', 'committed', 'done']);
    expect(keys(s, HOT)).toEqual([]);
    expect(keys(s, COLD)).toHaveLength(1);
    const commit = s.objects.get(lakeKeys.compaction(DAY)) as Uint8Array;
    expect(await rowsFromParquet('compactions', commit)).toMatchObject([
      { table_name: 'observations', rows: 6, files: 1, replaced: 3 },
    ]);
    expect(await s.compact({})).toEqual({ days: [], more: false });
  });

  it('sorts observations by asset, signal and source time', async () => {
    const s = setUp(0, { graceMs: 0 });
    const rows = rowsOf(1, [1, 2, 3]);
    for (const [i, row] of [rows[2], rows[0], rows[1]].entries())
      s.objects.set(lakeKeys.hot({ ...DAY, batch: `b${i}` }), rowsToParquet('observations', [row as never]));
    await s.compact({});
    expect((await rowsUnder(s.deps.lake, 'observations', COLD)).map((r) => r.value)).toEqual([1, 2, 3]);
  });

  it('leaves the day that is not over and the day that has one file', async () => {
    const s = setUp(2);
    s.clock.ms = Date.parse('2026-01-03T00:59:59Z');
    expect(await s.compact({})).toEqual({ days: [], more: false });
    expect((await s.compact({ date: DAY.date })).days).toMatchObject([{ state: 'open', files: 2 }]);
    s.objects.delete(keys(s, HOT)[0] as string);
    s.clock.ms += 1000;
    expect((await s.compact({})).days).toMatchObject([{ state: 'single' }]);
  });

  it('changes nothing in a dry run, and says what it would do', async () => {
    const s = setUp(3);
    const before = s.objects.size;
    expect((await s.compact({ dryRun: true })).days).toEqual([
      { ...DAY, files: 3, bytes: expect.any(Number), parts: 1, state: 'planned' },
    ]);
    expect(s.objects.size).toBe(before);
  });

  it('does only what it is asked for by table, site and day', async () => {
    const s = setUp(3);
    const of = async (request: object) => (await s.compact({ ...request, dryRun: true })).days.length;
    expect(await of({ table: 'observations', site: 'plant-a', date: DAY.date })).toBe(1);
    expect(await of({ table: 'quality' })).toBe(0);
    expect(await of({ site: 'plant-b' })).toBe(0);
    expect(await of({ date: '2026-01-01' })).toBe(0);
    await expect(s.compact({ table: 'decisions' })).rejects.toThrow(/request of compaction does not match/);
  });

  it('takes the event of a schedule as a request for everything', async () => {
    const s = setUp(3);
    expect((await s.compact({ source: 'aws.events', time: 'x' })).days).toHaveLength(1);
  });

  it('ends between two files when its time is over, and goes on in the next call', async () => {
    const s = setUp(3, { workMs: -1 });
    expect(await s.compact({})).toEqual({ days: [], more: true });
    const late = setUp(3);
    let calls = 0;
    const now = () => new Date(late.clock.ms + 400_000 * calls++).toISOString();
    const answer = await makeHandler({ ...late.deps, now })({});
    expect(answer).toMatchObject({ days: [{ state: 'planned' }], more: true });
    expect((await late.compact({})).days).toMatchObject([{ state: 'written' }]);
  });

  it('refuses to go on with a day on which something landed after its plan, and does the others', async () => {
    const s = setUp(2);
    await s.compact({});
    s.objects.set(lakeKeys.hot({ ...DAY, batch: 'late' }), rowsToParquet('observations', rowsOf(9)));
    for (const batch of ['x', 'y'])
      s.objects.set(lakeKeys.hot({ ...DAY, table: 'quality', batch }), rowsToParquet('quality', []));
    await expect(s.compact({})).rejects.toThrow(/late\.parquet was written on a day that is over/);
    expect(keys(s, 'compaction-plans/quality/')).toHaveLength(2);
  });

  it('says what is wrong with a day also when its time is over before the last day', async () => {
    const s = setUp(2);
    await s.compact({});
    s.objects.set(lakeKeys.hot({ ...DAY, batch: 'late' }), rowsToParquet('observations', rowsOf(9)));
    for (const batch of ['x', 'y'])
      s.objects.set(lakeKeys.hot({ ...DAY, date: '2026-01-03', batch }), rowsToParquet('observations', rowsOf(10)));
    // The clock jumps as soon as the first day was looked at.
    const files = {
      ...s.deps.files,
      entries: async (prefix: string) => {
        if (prefix === HOT) s.clock.ms += 700_000;
        return s.deps.files.entries(prefix);
      },
    };
    await expect(makeHandler({ ...s.deps, files })({})).rejects.toThrow(
      /late\.parquet was written on a day that is over/,
    );
  });

  it('fills parts up to their limits, and makes a part of its own of what is larger', () => {
    const files = [10, 60, 50, 200, 10, 10, 10].map((bytes, i) => ({ key: `k${i}`, bytes }));
    const parts = planParts(files, { bytes: 100, files: 2 });
    expect(parts.map((p) => p.sources)).toEqual([['k0', 'k1'], ['k2'], ['k3'], ['k4', 'k5'], ['k6']]);
    expect(planParts(files.toReversed(), { bytes: 100, files: 2 })).toEqual(parts);
  });

  it('keeps each row once, and its nulls first', () => {
    const rows = rowsOf(1, [1, 2]);
    const odd = { ...(rows[0] as LakeRow<'observations'>), position: 7, signal: null };
    expect(mergeRows('observations', [...rows, odd, ...rows]).map((r) => r.position)).toEqual([7, 0, 1]);
  });

  it('leaves a message known whose file it removed, though nobody had noted that it landed', async () => {
    const landing = memoryLanding();
    const s = setUp(1, { graceMs: 0 });
    const send = (now: string, batch: string) =>
      landRows(
        { lake: s.deps.lake, landing, now: () => now, newBatch: () => batch, leaseMs: 0 },
        { table: 'observations', site: 'plant-a' },
        [{ id: 'plant-a/edge-1/boot-1/7', content: 'seven', what: rowsOf(7) }],
      );
    expect(await send('2026-01-02T10:00:00.000Z', 'b2')).toMatchObject([{ is: 'landed' }]);
    await s.compact({});
    expect(keys(s, HOT)).toEqual([]);
    expect(await send('2026-01-09T10:00:00.000Z', 'b9')).toMatchObject([{ is: 'known' }]);
  });
});

class Crash extends Error {}

describe('what queries see while a day is compacted', () => {
  /** All that is there, from when to when. */
  interface Stretch {
    readonly from: number;
    to: number;
    readonly isCommitted: boolean;
    readonly hot: readonly string[];
    readonly cold: readonly string[];
  }

  it('is each row exactly once, wherever compaction dies and however many are at it, for queries shorter than the grace', async () => {
    const call = fc.record({
      compactors: fc.array(fc.oneof(fc.constant(null), fc.nat(18)), { minLength: 1, maxLength: 2 }),
      waitMs: fc.constantFrom(0, GRACE_MS / 3, GRACE_MS),
    });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 4 }), fc.array(call, { maxLength: 8 }), async (count, calls) => {
        const s = setUp(count);
        const stretches: Stretch[] = [];
        const note = () => {
          const is = {
            isCommitted: s.objects.has(lakeKeys.compaction(DAY)),
            hot: keys(s, HOT),
            cold: keys(s, COLD),
          };
          const last = stretches.at(-1);
          const { from, to, ...was } = last ?? { from: 0, to: 0 };
          if (last !== undefined && JSON.stringify(was) === JSON.stringify(is)) last.to = s.clock.ms;
          else stretches.push({ from: s.clock.ms, to: s.clock.ms, ...is });
        };
        const rowsIn = new Map<string, readonly string[]>();
        const run = async (dieAt: number | null): Promise<void> => {
          let ops = 0;
          const watched =
            <A extends unknown[], R>(op: (...args: A) => Promise<R>) =>
            async (...args: A): Promise<R> => {
              if (ops++ === dieAt) throw new Crash();
              s.clock.ms += 1000;
              note();
              const answer = await op(...args);
              note();
              return answer;
            };
          const { lake, files } = s.deps;
          // Removal of several objects is not one step.
          const remove = async (all: readonly string[]) => {
            for (const key of all) await watched(files.remove)([key]);
          };
          const deps = {
            ...s.deps,
            lake: {
              ...lake,
              get: watched(lake.get),
              find: watched(lake.find),
              put: watched(lake.put),
              list: watched(lake.list),
            },
            files: { entries: watched(files.entries), putNew: watched(files.putNew), remove },
          };
          // One that comes too late finds what it was about to read gone; it ends, and nothing is wrong.
          await makeHandler(deps)({}).catch(() => {});
        };
        note();
        for (const { compactors, waitMs } of [...calls, ...Array(4).fill({ compactors: [null], waitMs: GRACE_MS })]) {
          await Promise.all(compactors.map(run));
          for (const key of [...keys(s, HOT), ...keys(s, COLD)])
            if (!rowsIn.has(key))
              rowsIn.set(
                key,
                (await rowsUnder(s.deps.lake, 'observations', key)).map((r) => `${r.sequence}.${r.position}`),
              );
          s.clock.ms += waitMs;
        }
        for (const key of keys(s, HOT)) throw new Error(`${key} was left`);
        for (let i = 1; i <= count; i++) rowsIn.set(lakeKeys.hot({ ...DAY, batch: `b${i}` }), [`${i}.0`, `${i}.1`]);
        const all = Array.from({ length: count }, (_, i) => [`${i + 1}.0`, `${i + 1}.1`]).flat();
        // A query asks which days are committed and lists files, in any order and less than the grace apart.
        for (const asks of stretches)
          for (const lists of stretches) {
            if (lists.from - asks.to >= GRACE_MS || asks.from - lists.to >= GRACE_MS) continue;
            const seen = (asks.isCommitted ? lists.cold : lists.hot).flatMap((key) => rowsIn.get(key) ?? [key]);
            expect(seen.sort()).toEqual(all);
          }
      }),
      { numRuns: 40 },
    );
  });

  it('is what the plan says, which is a document of the contract', async () => {
    const s = setUp(2);
    await s.compact({});
    const plan = s.objects.get(lakeKeys.compactionStep(DAY, 'plan')) as Uint8Array;
    expect(CompactionPlan.parse(JSON.parse(Buffer.from(plan).toString())).parts).toHaveLength(1);
  });
});
