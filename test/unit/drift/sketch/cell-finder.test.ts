import fc from 'fast-check';
import { CellFinder } from '#core/drift/sketch/cell-finder.ts';
import { innerCellOf } from '#core/drift/sketch/cells.ts';

const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const edges = fc.oneof(
  fc.array(number, { maxLength: 40 }),
  fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { maxLength: 40 }),
  fc.constantFrom([-1.7e308, 1.7e308], [5e-324, 1e-323], [1e308, 1.1e308], [7, 7, 7]),
);

describe('the finder of cells', () => {
  it('finds the cell that a search among the edges finds', () => {
    fc.assert(
      fc.property(
        fc.array(edges, { minLength: 1, maxLength: 4 }),
        fc.array(number, { maxLength: 20 }),
        (of, values) => {
          const sorted = of.map((e) => [...e].sort((a, b) => a - b));
          const finder = new CellFinder(sorted);
          for (const [i, e] of sorted.entries())
            for (const value of [...values, ...e, -1.7e308, 1.7e308, 0])
              expect(finder.find(i, value)).toBe(innerCellOf(e, value));
        },
      ),
      { numRuns: 1000 },
    );
  });
  it('knows one cell where a feature has no edges', () => {
    expect(new CellFinder([[], [1]]).find(0, 5)).toBe(0);
  });
});
