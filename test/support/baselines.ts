import fc from 'fast-check';
import type { BaselineFeature, BaselineSpec, NumericCells } from '#core/contracts/baseline.ts';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { layoutOf } from '#core/drift/sketch/cells.ts';
import { digestOf } from '#core/lineage/digest.ts';

/** Cells at the given edges, centre 0 and scale 1 unless said. */
export const numericCells = (edges: readonly number[], over: Partial<NumericCells> = {}): NumericCells => ({
  kind: 'numeric',
  edges: [...edges],
  atoms: [],
  range: null,
  center: 0,
  scale: 1,
  ...over,
});

/** A feature on cells, with the same count in each inner cell unless said. */
export const featureOn = (
  name: string,
  cells: BaselineFeature['cells'],
  over: Partial<BaselineFeature> = {},
): BaselineFeature => {
  const { inner, count } = layoutOf(cells);
  return { name, cells, counts: Array.from({ length: count }, (_, i) => (i < inner ? 100 : 0)), ...over };
};

export const baselineOf = (features: readonly BaselineFeature[], over: Partial<BaselineSpec> = {}): BaselineSpec => ({
  schema: 'baseline/2',
  featureSetDigest: digestOf('set'),
  rows: 1000,
  windows: { rows: 100, count: 0 },
  features: [...features],
  joint: null,
  contexts: [],
  ...over,
});

const count = fc.nat({ max: 5000 });
const sum = fc.integer({ min: -(2 ** 30), max: 2 ** 30 });

/** Windows of one context with the given features, on three cells and those beyond. */
export const windowsOf = (names: readonly string[]): fc.Arbitrary<DriftWindow> =>
  fc
    .record({
      device: fc.constantFrom('edge-1', 'edge-2', 'edge-3'),
      boot: fc.constantFrom('b1', 'b2'),
      windowStart: fc.integer({ min: 1, max: 4 }),
      rows: fc.integer({ min: 1, max: 100 }),
      hours: fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 40 })),
      assets: fc.uniqueArray(fc.constantFrom('m1', 'm2', 'm3'), { minLength: 1 }),
      features: fc.tuple(
        ...names.map((name) =>
          fc.record({
            name: fc.constant(name),
            counts: fc.array(count, { minLength: 7, maxLength: 7 }),
            n: count,
            z: sum,
            zz: count,
            lag: sum,
            lagged: count,
            min: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
            max: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
            longest: count,
            changes: count,
          }),
        ),
      ),
    })
    .map(({ hours, features, ...w }) => ({
      schema: 'drift-window/1',
      site: 'plant-a',
      modelLine: 'test-case/plant-a',
      packageDigest: digestOf('package'),
      context: 'default',
      windowEnd: w.windowStart + w.rows - 1,
      from: new Date(Date.UTC(2026, 0, 1, Math.min(...hours))).toISOString(),
      to: new Date(Date.UTC(2026, 0, 1, Math.max(...hours))).toISOString(),
      // As a sketch has them: both or neither, and not −0.
      features: features.map(({ min, max, ...f }) => {
        const known = min !== null && max !== null && f.n > 0;
        return { ...f, min: known ? Math.min(min, max) + 0 : null, max: known ? Math.max(min, max) + 0 : null };
      }),
      ...w,
    }));
