import fc from 'fast-check';
import { type BaselineSpec, Q, T2 } from '#core/contracts/baseline.ts';
import { DriftWindow, type FeatureSketch } from '#core/contracts/drift.ts';
import { cellOf, layoutOf } from '#core/drift/sketch/cells.ts';
import { type SketchRow, WindowSketch } from '#core/drift/sketch/window-sketch.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { baselineOf, featureOn, numericCells } from '../../../support/baselines.ts';

const CELLS = [
  numericCells([-1, 0, 1], { center: 0.25, scale: 0.5 }),
  numericCells([2], { atoms: [0, 5], range: [-4, 8], center: 1, scale: 3 }),
  { kind: 'category' as const, names: ['steel', 'brass'], others: ['lead'] },
];
const BASELINE = baselineOf(CELLS.map((cells, i) => featureOn(`f${i}`, cells)));
const OF = {
  site: 'plant-a',
  device: 'edge-1',
  boot: 'b1',
  modelLine: 'a/b',
  packageDigest: digestOf('p'),
  context: 'c1',
};

type Value = number | string | null;
const sketched = (rows: readonly SketchRow[], baseline: BaselineSpec = BASELINE): WindowSketch => {
  const sketch = new WindowSketch(baseline);
  for (const row of rows) sketch.add(row);
  return sketch;
};
const row = (x: readonly Value[], sequence = 1, asset = 'm1'): SketchRow => ({
  sequence,
  asset,
  sourceTime: '2026-01-01T00:00:00.000Z',
  x,
});

const isNumber = (v: Value | undefined): v is number => typeof v === 'number' && Number.isFinite(v);

/** The same by its definition, value lists and BigInt: slow, and nothing of the sketch's own code but the cells. */
const bySpecification = (rows: readonly SketchRow[], i: number): FeatureSketch => {
  const cells = CELLS[i] as (typeof CELLS)[number];
  const values = rows.map((r) => r.x[i] as Value);
  const counts = new Array<number>(layoutOf(cells).count).fill(0);
  for (const v of values) counts[cellOf(cells, v)] = (counts[cellOf(cells, v)] as number) + 1;
  const finite = cells.kind === 'numeric' ? values.filter(isNumber) : [];
  const zOf = (v: number): bigint => {
    if (cells.kind !== 'numeric') return 0n;
    const z = Math.round((v - cells.center) * (256 / cells.scale));
    return BigInt(Math.min(8192, Math.max(-8192, z)));
  };
  const ofAssets = [...new Set(rows.map((r) => r.asset))].map((asset) =>
    rows.filter((r) => r.asset === asset).map((r) => r.x[i] as Value),
  );
  // What a value is when it is compared with the one before: for names their cell, for what is no number that it is none.
  const kind = (v: Value): string =>
    cells.kind === 'category' ? `cell ${cellOf(cells, v)}` : isNumber(v) ? String(v + 0) : 'none';
  let lag = 0n;
  let lagged = 0;
  let changes = 0;
  let longest = 0;
  for (const of of ofAssets) {
    let run = 0;
    for (const [k, v] of of.entries()) {
      const before = of[k - 1];
      const isSame = k > 0 && kind(v) === kind(before as Value);
      run = isSame ? run + 1 : 1;
      longest = Math.max(longest, run);
      if (k > 0 && !isSame) changes += 1;
      if (cells.kind !== 'numeric' || k === 0 || !isNumber(v) || !isNumber(before)) continue;
      lag += zOf(v) * zOf(before);
      lagged += 1;
    }
  }
  return {
    name: `f${i}`,
    counts,
    n: finite.length,
    z: Number(finite.reduce((sum, v) => sum + zOf(v), 0n)),
    zz: Number(finite.reduce((sum, v) => sum + zOf(v) * zOf(v), 0n)),
    lag: Number(lag),
    lagged,
    min: finite.length === 0 ? null : Math.min(...finite) + 0,
    max: finite.length === 0 ? null : Math.max(...finite) + 0,
    longest,
    changes,
  };
};

const number = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, 5, 2, -1, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  fc.integer({ min: -3, max: 3 }),
  fc.constant(null),
);
const name = fc.constantFrom('steel', 'brass', 'lead', 'wood', null);
const rowsAny = fc
  .array(fc.tuple(fc.constantFrom('m1', 'm2'), number, number, name), { minLength: 1, maxLength: 60 })
  .map((list) => list.map(([asset, a, b, c], k) => row([a, b, c], k + 1, asset)));

describe('a sketch of a window', () => {
  it('says of any values what their definition says', () => {
    fc.assert(
      fc.property(rowsAny, (rows) => {
        expect(sketched(rows).sketches()).toEqual(CELLS.map((_, i) => bySpecification(rows, i)));
      }),
      { numRuns: 300 },
    );
  });
  it('keeps its contract, and counts each row in one cell of each feature', () => {
    fc.assert(
      fc.property(rowsAny, (rows) => {
        const window = sketched(rows).window(OF);
        expect(DriftWindow.parse(window)).toEqual(window);
        for (const f of window?.features ?? []) expect(f.counts.reduce((a, b) => a + b, 0)).toBe(rows.length);
      }),
    );
  });
  it('is as new after it was reset', () => {
    fc.assert(
      fc.property(rowsAny, rowsAny, (before, rows) => {
        const again = sketched(before);
        again.reset();
        expect(again.window(OF)).toBeNull();
        for (const r of rows) again.add(r);
        expect(again.window(OF)).toEqual(sketched(rows).window(OF));
      }),
    );
  });
  it('names its first and last decision, its times and its assets, whatever order they come in', () => {
    const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
    const rows = [
      { ...row([0, 0, null], 8, 'm2'), sourceTime: at(3) },
      { ...row([0, 0, null], 7, 'm1'), sourceTime: at(5) },
      { ...row([0, 0, null], 9, 'm1'), sourceTime: at(2) },
    ];
    expect(sketched(rows).window(OF)).toMatchObject({
      ...OF,
      windowStart: 7,
      windowEnd: 9,
      rows: 3,
      from: at(2),
      to: at(5),
      assets: ['m1', 'm2'],
    });
  });
  it('holds a wild value within 32 scales and in the last cell, so that the others still count', () => {
    const [f] = sketched([row([1e12, 1, null]), row([0.25, 1, null])]).sketches();
    expect(f).toMatchObject({ z: 8192, zz: 8192 ** 2, max: 1e12 });
    expect(f?.counts).toEqual([0, 0, 1, 1, 0, 0, 0, 0]);
  });
  it('says of a constant signal that it rests', () => {
    const rows = Array.from({ length: 50 }, (_, k) => row([0.7, 5, 'steel'], k + 1));
    for (const f of sketched(rows).sketches()) expect(f).toMatchObject({ longest: 50, changes: 0 });
  });
  it('refuses a row that is not of its features', () => {
    expect(() => sketched([row([1, 2])])).toThrow('a row of m1 has 2 features, the baseline 3');
  });
  it('stays under 1 kB a feature with ten assets', () => {
    const wide = baselineOf(
      Array.from({ length: 100 }, (_, i) => featureOn(`f${i}`, numericCells(Array.from({ length: 21 }, (__, k) => k)))),
    );
    const rows = Array.from({ length: 10 }, (_, k) => row(new Array<number>(100).fill(k), k + 1, `m${k}`));
    expect(sketched(rows, wide).bytes / 100).toBeLessThan(1000);
  });
});

describe('the joint distribution in a sketch', () => {
  const joint = { mean: [0, 0], scale: [1, 1], loadings: [[Math.SQRT1_2, Math.SQRT1_2]], variances: [2] };
  const plain = numericCells([1, 2, 3]);
  const baseline = baselineOf(
    [featureOn('a', plain), featureOn('b', plain), featureOn(T2, plain), featureOn(Q, plain)],
    { joint },
  );

  it('is counted as two more features: distance along the components, and off them', () => {
    const [, , t, q] = sketched([row([2, 2]), row([2, -2])], baseline).sketches();
    expect(t).toMatchObject({ name: T2, counts: [1, 0, 1, 0, 0, 0, 0, 0], max: 2 });
    expect(q).toMatchObject({ name: Q, counts: [1, 0, 1, 0, 0, 0, 0, 0], max: Math.fround(Math.sqrt(8)) });
  });
  it('is missing where one of the features is', () => {
    const sketches = sketched([row([2, null]), row([Number.POSITIVE_INFINITY, 1])], baseline).sketches();
    for (const f of sketches.slice(2)) expect(f.counts).toEqual([0, 0, 0, 0, 0, 0, 2, 0]);
  });
});
