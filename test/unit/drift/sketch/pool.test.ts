import fc from 'fast-check';
import type { CategoryCells } from '#core/contracts/baseline.ts';
import { layoutOf } from '#core/drift/sketch/cells.ts';
import { FEWEST_EXPECTED, poolCells, pooledCounts } from '#core/drift/sketch/pool.ts';
import { numericCells } from '../../../support/baselines.ts';

describe('groups of cells', () => {
  it('are the cells themselves where each expects enough', () => {
    expect(poolCells({ cells: numericCells([1, 2]), counts: [40, 30, 30, 0, 0, 0, 0] }, 100)).toEqual([
      0, 1, 2, 0, 2, -1, -1,
    ]);
  });
  it('join a rare cell to its neighbours, and a rare atom to the cell around it', () => {
    const cells = numericCells([1, 2, 3], { atoms: [2.5, 9] });
    const counts = [10, 400, 200, 20, 30, 340, 0, 0, 0, 0];
    const groups = poolCells({ cells, counts }, 100);
    expect(groups).toEqual([0, 0, 1, 1, 1, 2, 0, 1, -1, -1]);
    expect(pooledCounts(groups, counts)).toEqual([410, 250, 340]);
  });
  it('are a twelfth of the rows at least in order, for a test sees a shift best on few cells', () => {
    const cells = numericCells([1, 2, 3, 4, 5]);
    const counts = [50, 50, 400, 60, 40, 400, 0, 0, 0, 0];
    expect(poolCells({ cells, counts }, 1000)).toEqual([0, 0, 1, 2, 2, 3, 0, 3, -1, -1]);
  });
  it('keep apart what is off several atoms where it is enough for itself', () => {
    const cells = numericCells([0.5], { atoms: [0, 1] });
    expect(poolCells({ cells, counts: [25, 35, 690, 250, 0, 0, 0, 0] }, 100)).toEqual([0, 0, 1, 2, 0, 0, -1, -1]);
  });
  it('join what is off the atoms to the rarest of them', () => {
    const cells = numericCells([0.5], { atoms: [0, 1] });
    expect(poolCells({ cells, counts: [1, 2, 700, 297, 0, 0, 0, 0] }, 100)).toEqual([1, 1, 0, 1, 1, 1, -1, -1]);
  });
  it('keep what is off the only atom apart, or a constant could never change', () => {
    const cells = numericCells([3], { atoms: [3] });
    expect(poolCells({ cells, counts: [0, 0, 300, 0, 0, 0, 0] }, 100)).toEqual([0, 0, 1, 0, 0, -1, -1]);
  });
  it('are one where nothing expects enough, or nothing was counted', () => {
    const cells = numericCells([1, 2]);
    expect(poolCells({ cells, counts: [1, 1, 1, 0, 0, 0, 0] }, 4)).toEqual([0, 0, 0, 0, 0, -1, -1]);
    expect(poolCells({ cells, counts: [0, 0, 0, 0, 0, 9, 0] }, 100)).toEqual([0, 0, 0, 0, 0, -1, -1]);
  });
  it('join names from the rarest on, and leave out what is missing', () => {
    const cells: CategoryCells = { kind: 'category', names: ['a', 'b', 'c'], others: ['d'] };
    expect(poolCells({ cells, counts: [600, 360, 30, 10, 0, 70] }, 100)).toEqual([1, 0, 0, 0, 0, -1]);
  });
  it('expect enough each and lose no row that is a number', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 300 }), { minLength: 2, maxLength: 25 }),
        fc.array(fc.nat({ max: 300 }), { maxLength: 3 }),
        fc.integer({ min: 20, max: 500 }),
        (inner, atoms, rows) => {
          const cells = numericCells(
            inner.slice(1).map((_, i) => i),
            { atoms: atoms.map((_, i) => i + 0.5) },
          );
          const counts = [...inner, ...atoms, 3, 4, 50, 60];
          const groups = poolCells({ cells, counts }, rows);
          const sums = pooledCounts(groups, counts);
          const total = counts.slice(0, -2).reduce((a, b) => a + b, 0);
          expect(sums.reduce((a, b) => a + b, 0)).toBe(total);
          expect(groups.slice(-2)).toEqual([-1, -1]);
          const rare = sums.filter((s) => (s / total) * rows < FEWEST_EXPECTED - 1e-9);
          // Only what is off a single atom stays alone although it is rare.
          expect(rare.length === 0 || (rare.length === 1 && sums.length <= 2)).toBe(true);
          expect(groups).toHaveLength(layoutOf(cells).count);
        },
      ),
    );
  });
  it('take counts of their own cells only', () => {
    expect(() => pooledCounts([0, 1], [1, 2, 3])).toThrow('expected 2 cells as in the baseline, got 3');
  });
});
