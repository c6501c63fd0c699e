import fc from 'fast-check';
import { addSketches, momentsOf } from '#core/drift/sketch/feature-sketch.ts';
import { windowsOf } from '../../../support/baselines.ts';

const zero = { n: 0, z: 0, zz: 0, lag: 0, lagged: 0, min: null, max: null, longest: 0, changes: 0 };
const empty = { name: 'speed', counts: [0, 0, 0, 0, 0, 0, 0], ...zero };

describe('sketches of two windows', () => {
  it('add to the integers that BigInt adds to', () => {
    fc.assert(
      fc.property(fc.array(windowsOf(['speed']), { minLength: 1, maxLength: 8 }), (windows) => {
        const all = windows.map((w) => w.features[0] as (typeof w.features)[number]);
        const sum = all.reduce(addSketches);
        const exact = (of: (f: (typeof all)[number]) => number): number =>
          Number(all.reduce((total, f) => total + BigInt(of(f)), 0n));
        for (const name of ['n', 'z', 'zz', 'lag', 'lagged', 'changes'] as const)
          expect(sum[name]).toBe(exact((f) => f[name]));
        expect(sum.counts).toEqual(empty.counts.map((_, i) => exact((f) => f.counts[i] as number)));
        expect(sum.longest).toBe(Math.max(...all.map((f) => f.longest)));
        const known = all.flatMap((f) => (f.min === null ? [] : [f.min]));
        expect(sum.min).toBe(known.length === 0 ? null : Math.min(...known));
      }),
    );
  });
  it('are what they were with an empty one added', () => {
    fc.assert(
      fc.property(windowsOf(['speed']), ({ features: [f] }) => {
        expect(addSketches(empty, f as NonNullable<typeof f>)).toEqual(f);
      }),
    );
  });
  it('do not add when they are of other features or other cells', () => {
    expect(() => addSketches(empty, { ...empty, name: 'load' })).toThrow('sketches of speed and of load do not add');
    expect(() => addSketches(empty, { ...empty, counts: [0] })).toThrow('sketches on 7 and 1 cells do not add');
  });
  it('do not add beyond the integers that are exact', () => {
    const large = { ...empty, zz: Number.MAX_SAFE_INTEGER };
    expect(() => addSketches(large, { ...empty, zz: 1 })).toThrow(
      /zz of speed is 9007199254740992.*merge fewer windows/,
    );
    expect(() => addSketches({ ...empty, lag: -Number.MAX_SAFE_INTEGER }, { ...empty, lag: -2 })).toThrow(RangeError);
  });
});

describe('moments of a sketch', () => {
  it('are those of its values in scales of the reference', () => {
    const z = [-256, 0, 512, 0];
    const sum = (of: (v: number, i: number) => number): number => z.map(of).reduce((a, b) => a + b, 0);
    const lag = sum((v, i) => (i === 0 ? 0 : v * (z[i - 1] as number)));
    const moments = momentsOf({ ...empty, n: 4, z: sum((v) => v), zz: sum((v) => v * v), lag, lagged: 3 });
    expect(moments?.mean).toBe(0.25);
    expect(moments?.variance).toBe((1 + 0 + 4 + 0) / 4 - 0.0625);
    expect(moments?.lag1).toBeCloseTo((0 - 0.0625) / 1.1875, 12);
  });
  it('are none without a value, and know no correlation of a constant or of a single value', () => {
    expect(momentsOf(empty)).toBeNull();
    expect(momentsOf({ ...empty, n: 2, z: 512, zz: 131_072, lag: 65_536, lagged: 1 })).toEqual({
      mean: 1,
      variance: 0,
      lag1: null,
    });
    expect(momentsOf({ ...empty, n: 1, z: 3, zz: 9 })?.lag1).toBeNull();
  });
});
