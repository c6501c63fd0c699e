import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { BaselineSpec, SeasonBaseline } from '#core/contracts/baseline.ts';
import { contextCounts } from '#core/drift/baselines/contexts.ts';
import { addCounts, type Counts, pack, unpack } from '#core/drift/baselines/counts.ts';
import { fixedCounts } from '#core/drift/baselines/fixed.ts';
import { isLearned, LEARN_WINDOWS, type Learned, learn } from '#core/drift/baselines/learned.ts';
import { perAssetCounts, perAssetLevel, varianceOfAssets } from '#core/drift/baselines/per-asset.ts';
import { accept, MOST_REGIMES, type Regime } from '#core/drift/baselines/regimes.ts';
import { type Rolling, roll } from '#core/drift/baselines/rolling.ts';
import { seasonCell, seasonView } from '#core/drift/baselines/seasonal.ts';
import { shrunk } from '#core/drift/baselines/shrink.ts';
import { placeOf } from '#core/drift/device/reference.ts';
import { windowMeansOf } from '#core/drift/device/window-means.ts';
import { machineBaseline } from '../../support/drift-device.ts';

const CELLS = 6;
const ROWS = 60;
const window = fc.array(fc.nat(100), { minLength: CELLS, maxLength: CELLS }).filter((c) => c.some((n) => n > 0));
const fleet: Counts = [[100, 200, 300, 300, 200, 100]];
const total = (counts: readonly number[] | undefined): number => (counts ?? []).reduce((a, b) => a + b, 0);
const rowsOf = (cells: readonly number[]): number => total(cells);

/** A baseline that learns: what it makes of windows, and the counts that it is held against then. */
interface Learning {
  readonly take: (state: unknown, cells: readonly number[], index: number) => unknown;
  readonly counts: (state: unknown) => Counts;
  /** Rows that all its counts stand for, given those of all windows. */
  readonly most: (rows: number) => number;
}

const LEARNING: Readonly<Record<string, Learning>> = {
  learned: {
    take: (state, cells) =>
      learn((state ?? undefined) as Learned | undefined, { rows: rowsOf(cells), counts: [cells], means: [0.5] }),
    counts: (state) => unpack((state as Learned).packed),
    most: (rows) => rows,
  },
  'per-asset': {
    take: (state, cells) =>
      learn((state ?? undefined) as Learned | undefined, { rows: rowsOf(cells), counts: [cells], means: [0.5] }),
    counts: (state) => perAssetCounts(state as Learned, fleet),
    most: (rows) => rows + total(fleet[0]),
  },
  rolling: {
    take: (state, cells) => roll(state as Rolling | null, { context: 'red', rows: rowsOf(cells), counts: [cells] }),
    counts: (state) => unpack((state as Rolling).packed),
    most: (rows) => rows + 1,
  },
  regimes: {
    take: (state, cells, i) =>
      accept((state ?? []) as readonly Regime[], { since: String(i), packed: pack([cells], rowsOf(cells)) }),
    counts: (state) => unpack((state as readonly Regime[])[0]?.packed ?? pack([[]], 0)),
    most: (rows) => rows,
  },
};

describe.each(Object.entries(LEARNING))('the baseline %s', (_, { take, counts, most }) => {
  const takeAll = (windows: readonly (readonly number[])[]): unknown =>
    windows.reduce<unknown>((state, cells, i) => take(state, cells, i), null);
  it('has counts on the same cells, none below 0, of no more rows than there were', () => {
    fc.assert(
      fc.property(fc.array(window, { minLength: 1, maxLength: 20 }), (windows) => {
        const [cells] = counts(takeAll(windows)) as [readonly number[]];
        expect(cells).toHaveLength(CELLS);
        expect(Math.min(...cells)).toBeGreaterThanOrEqual(0);
        expect(total(cells)).toBeLessThanOrEqual(most(total(windows.map(rowsOf))) + 1e-6);
      }),
    );
  });
  it('goes on from its JSON to the same bytes', () => {
    fc.assert(
      fc.property(fc.array(window, { minLength: 2, maxLength: 12 }), fc.nat(), (windows, at) => {
        const cut = 1 + (at % (windows.length - 1));
        const stored = JSON.parse(JSON.stringify(takeAll(windows.slice(0, cut)))) as unknown;
        const gone = windows.slice(cut).reduce<unknown>((state, cells, i) => take(state, cells, cut + i), stored);
        expect(JSON.stringify(gone)).toBe(JSON.stringify(takeAll(windows)));
      }),
    );
  });
  it('keeps the shares of windows that are all alike, within what two characters hold', () => {
    const [cells] = counts(takeAll(Array.from({ length: 30 }, () => [10, 20, 30, 0, 30, 10]))) as [readonly number[]];
    const share = cells.map((c) => c / total(cells));
    for (const [i, expected] of [0.1, 0.2, 0.3, 0, 0.3, 0.1].entries())
      expect(Math.abs((share[i] as number) - expected)).toBeLessThan(0.03);
  });
  it('does not grow with the windows', () => {
    const many = (n: number): number =>
      JSON.stringify(takeAll(Array.from({ length: n }, (_w, i) => [i % 7, 5, 5, 5, 5, 5]))).length;
    expect(many(500)).toBeLessThan(2 * many(10) + 20);
  });
});

describe('all baselines', () => {
  it('are tried here', () => {
    const files = readdirSync(join(__dirname, '../../../core/drift/baselines')).map((f) => f.replace('.ts', ''));
    const others = ['counts', 'shrink', 'fixed', 'contexts', 'seasonal'];
    expect(files.filter((f) => !others.includes(f)).sort()).toEqual(Object.keys(LEARNING).sort());
  });
});

describe('a packed count', () => {
  it('is off by half a share at most', () => {
    fc.assert(
      fc.property(window, (cells) => {
        const [back] = unpack(pack([cells], rowsOf(cells))) as [readonly number[]];
        for (const [i, c] of cells.entries())
          expect(Math.abs((back[i] as number) - c) / rowsOf(cells)).toBeLessThan((CELLS / 2 + 1) / 4095);
      }),
    );
  });
  it('of nothing is nothing', () => expect(unpack(pack([[0, 0]], 0))).toEqual([[0, 0]]));
  it('is not added to one on other cells', () => {
    expect(() => addCounts([[1, 2]], [[1, 2, 3]])).toThrow('expected the same cells, got 2 and 3');
  });
});

describe('a learned baseline', () => {
  it('stays as it is once it has learned: it cannot hide ageing', () => {
    const even = { rows: ROWS, counts: [[10, 10, 10, 10, 10, 10]], means: [0] };
    let learned: Learned | undefined;
    for (let i = 0; i < LEARN_WINDOWS; i++) learned = learn(learned, even);
    expect(isLearned(learned as Learned)).toBe(true);
    expect(learn(learned, { rows: ROWS, counts: [[60, 0, 0, 0, 0, 0]], means: [3] })).toBe(learned);
  });
});

describe('the rolling baseline', () => {
  it('follows what comes slowly, so that it may not decide', () => {
    const at = (i: number): number[] => (i < 50 ? [60, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 60]);
    let rolling: Rolling | null = null;
    for (let i = 0; i < 100; i++) rolling = roll(rolling, { context: 'red', rows: ROWS, counts: [at(i)] });
    const [cells] = unpack((rolling as Rolling).packed) as [readonly number[]];
    expect((cells[5] as number) / total(cells)).toBeGreaterThan(0.95);
  });
  it('begins anew in another context', () => {
    const red = roll(null, { context: 'red', rows: ROWS, counts: [[60, 0]] });
    expect(roll(red, { context: 'blue', rows: ROWS, counts: [[0, 60]] })).toEqual(
      roll(null, { context: 'blue', rows: ROWS, counts: [[0, 60]] }),
    );
  });
});

describe('the regime library', () => {
  it('forgets the oldest', () => {
    const packed = pack([[1]], 1);
    const all = ['a', 'b', 'c', 'd'].reduce<readonly Regime[]>((l, since) => accept(l, { since, packed }), []);
    expect(all.map((r) => r.since)).toEqual(['d', 'c', 'b']);
    expect(all).toHaveLength(MOST_REGIMES);
  });
  it('keeps what was left at one time in two contexts', () => {
    const [red, blue] = [
      [3, 1],
      [1, 3],
    ].map((cells) => ({ since: 'a', packed: pack([cells], 4) })) as [Regime, Regime];
    expect(accept(accept([], red), blue)).toEqual([blue, red]);
  });
});

describe('shrinking to the pooled baseline', () => {
  const pooled = [[1000, 1000, 1000, 1000]];
  const share = (own: readonly number[]): number => {
    const [cells] = shrunk([own], pooled) as [readonly number[]];
    return (cells[0] as number) / total(cells);
  };
  it('holds a context that is like all others against all', () => {
    expect(total(shrunk([[26, 24, 25, 25]], pooled)[0])).toBeCloseTo(4100, 6);
  });
  it('holds one that differs more than its rows explain against itself', () => {
    expect(share([970, 10, 10, 10])).toBeGreaterThan(0.95);
    expect(share([97, 1, 1, 1])).toBeGreaterThan(0.93);
    expect(share([3, 0, 0, 0])).toBeGreaterThan(0.25);
  });
  it('trusts it later where rows follow each other', () => {
    const alike = total(shrunk([[40, 20, 20, 20]], pooled, [20])[0]);
    expect(alike).toBeGreaterThan(total(shrunk([[40, 20, 20, 20]], pooled)[0]));
  });
  it('knows nothing of a context without rows, and of rows where the pooled has none', () => {
    expect(shrunk([[0, 0, 0, 0]], pooled)).toEqual(pooled);
    expect(shrunk([[0, 0, 9]], [[10, 10, 0]])[0]?.[2]).toBe(9);
    expect(shrunk([[5, 5]], [[0, 0]])).toEqual([[5, 5]]);
  });
  it('is not asked for a context that training did not know', () => {
    const baseline = machineBaseline();
    expect(contextCounts(baseline, 'green')).toBeNull();
    expect(fixedCounts(baseline)).toEqual(baseline.features.map((f) => f.counts));
  });
});

describe('the level of an asset', () => {
  const level = (windows: number, between: number): number =>
    perAssetLevel({ own: 10, fleet: 0, windows, within: 4, between });
  it('is its own as far as assets differ more than its windows do', () => {
    expect(level(4, 1)).toBe(5);
    expect(level(400, 1)).toBeCloseTo(9.9, 1);
    expect(level(4, 0)).toBe(0);
  });
  it('is its own where nothing varies', () => {
    expect(perAssetLevel({ own: 10, fleet: 0, windows: 4, within: 0, between: 0 })).toBe(10);
  });
  it('comes from variances within and between assets', () => {
    expect(
      varianceOfAssets([
        [1, 3],
        [11, 13],
      ]),
    ).toEqual({ within: 2, between: 49 });
    expect(
      varianceOfAssets([
        [1, 3],
        [1, 3],
      ]),
    ).toEqual({ within: 2, between: 0 });
    expect(varianceOfAssets([[5]])).toEqual({ within: 0, between: 0 });
  });
});

describe('means of reference windows', () => {
  const baseline = machineBaseline();
  const [first] = baseline.features;
  const context = (name: string, windows: number) => ({
    context: name,
    rows: windows * baseline.windows.rows,
    counts: baseline.features.map((f) => f.counts),
  });
  const of = (means: readonly number[], contexts: readonly [string, number][]) =>
    windowMeansOf({
      ...baseline,
      features: [{ ...(first as (typeof baseline.features)[number]), windowMeans: [...means] }],
      contexts: contexts.map(([name, windows]) => context(name, windows)),
    });
  it('are apart for each context', () => {
    const { within, contexts } = of(
      [1, 3, 11, 13, 15],
      [
        ['red', 2],
        ['blue', 3],
      ],
    );
    expect(within).toEqual([[-1, 1, -2, 0, 2]]);
    expect(contexts.get('blue')).toEqual({ windows: 3, means: [13] });
  });
  it('are of one where contexts do not account for them', () => {
    const { within, contexts } = of([1, 3], [['red', 9]]);
    expect(within).toEqual([[-1, 1]]);
    expect(contexts.get('red')?.means).toEqual([null]);
  });
});

describe('a baseline as cells of the season see it', () => {
  const plain = machineBaseline();
  const counts = plain.features.map((f) => f.counts);
  /** Its 120 windows in the cells given; what is left is in none. */
  const inCells = (windows: readonly (number | null)[]): BaselineSpec => ({
    ...plain,
    features: plain.features.map((f) => ({ ...f, seasonStatistic: { mean: 7, variance: 11 } })),
    season: {
      of: { hours: 12 },
      cells: ['h00', 'h12'].map((cell) => ({ context: 'all', cell, rows: 1, counts })),
      windows: Array.from({ length: plain.windows.count }, (_, i) => windows[i] ?? null),
      leftOut: [],
    },
  });
  const cells = fc.array(fc.option(fc.nat({ max: 1 })), { minLength: 1, maxLength: plain.windows.count });
  it('has the windows that are in one, in their order, each less the mean of its cell', () => {
    fc.assert(
      fc.property(cells, (windows) => {
        const view = seasonView(inCells(windows)) as BaselineSpec;
        const { within, contexts } = windowMeansOf(view);
        const placed = windows.flatMap((cell, i) => (cell === null ? [] : [{ cell, i }]));
        expect(view.windows.count).toBe(placed.length);
        for (const [f, { windowMeans = [] }] of plain.features.entries())
          for (const [k, name] of ['all-h00', 'all-h12'].entries()) {
            const own = placed.filter((p) => p.cell === k);
            const middle = contexts.get(name)?.means[f] ?? null;
            expect(contexts.get(name)?.windows).toBe(own.length);
            if (placed.length === 0 || own.length === 0) continue;
            const wider = Math.sqrt(own.length / Math.max(1, own.length - 1));
            for (const p of own)
              expect(within[f]?.[placed.indexOf(p)]).toBeCloseTo(
                wider * ((windowMeans[p.i] as number) - (middle as number)),
                10,
              );
          }
      }),
    );
  });
  it('differs by what windows of a cell differ by, and counts no window of all the day', () => {
    const view = seasonView(inCells([0, 1, null, 0])) as BaselineSpec;
    expect(view.features.map((f) => f.windowStatistic)).toEqual(plain.features.map(() => ({ mean: 7, variance: 11 })));
    expect(view.features[0]?.windowMeans).toEqual([0, 1, 3].map((i) => plain.features[0]?.windowMeans?.[i]));
    expect(view.contexts.map((c) => c.context)).toEqual(['all-h00', 'all-h12']);
  });
  it('is none where training was told of no season, or no cell had enough windows', () => {
    expect(seasonView(plain)).toBeNull();
    const { season } = inCells([]);
    expect(seasonView({ ...plain, season: { ...(season as SeasonBaseline), cells: [] } })).toBeNull();
  });
  it('is of the season of the policy alone', () => {
    const baseline = inCells([0, 1]);
    const window = { from: '2026-01-05T13:00:00.000Z', to: '2026-01-05T14:00:00.000Z' };
    expect(placeOf(baseline, window, { hours: 12, weekdays: false, offsetMinutes: 0 })?.cell).toBe('h12');
    for (const other of [null, { hours: 6 }, { hours: 12, weekdays: true }, { hours: 12, offsetMinutes: 60 }])
      expect(placeOf(baseline, window, other)).toBeNull();
    expect(placeOf(plain, window, { hours: 12 })).toBeNull();
  });
});

describe('the cell of the season', () => {
  const at = (iso: string): [string, string] => [iso, iso];
  it('is made of hours, of weekdays if told, in local time', () => {
    expect(seasonCell(...at('2026-01-05T07:30:00.000Z'), { hours: 8 })).toBe('h00');
    expect(seasonCell(...at('2026-01-05T08:00:00.000Z'), { hours: 8 })).toBe('h08');
    expect(seasonCell(...at('2026-01-05T07:30:00.000Z'), { hours: 8, offsetMinutes: 60 })).toBe('h08');
    expect(seasonCell(...at('2026-01-05T07:30:00.000Z'), { hours: 8, weekdays: true })).toBe('d1-h00');
    expect(seasonCell(...at('2026-01-04T23:30:00.000Z'), { hours: 8, weekdays: true })).toBe('d7-h16');
    expect(seasonCell(...at('2026-01-04T23:30:00.000Z'), { hours: 8, weekdays: true, offsetMinutes: 60 })).toBe(
      'd1-h00',
    );
  });
  it('is that of the middle of the window', () => {
    expect(seasonCell('2026-01-05T07:00:00.000Z', '2026-01-05T09:30:00.000Z', { hours: 8 })).toBe('h08');
  });
});
