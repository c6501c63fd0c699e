import fc from 'fast-check';
import type { CategoryCells } from '#core/contracts/baseline.ts';
import { cellOf, innerCellOf, layoutOf, normalOf } from '#core/drift/sketch/cells.ts';
import { baselineOf, featureOn, numericCells } from '../../../support/baselines.ts';

const cells = numericCells([1, 5, 9], { atoms: [3], range: [-10, 100] });
const names: CategoryCells = { kind: 'category', names: ['steel', 'brass'], others: ['lead'] };

describe('cells of a number', () => {
  it('are the inner ones, one for each atom, then under, over, missing and infinite', () => {
    expect(layoutOf(cells)).toEqual({
      inner: 4,
      atoms: 1,
      under: 5,
      over: 6,
      other: null,
      unseen: null,
      missing: 7,
      infinite: 8,
      count: 9,
    });
  });
  it('hold a value on an edge in the cell above it', () => {
    expect([0.5, 1, 4.9, 5, 9, 50].map((v) => cellOf(cells, v))).toEqual([0, 1, 1, 2, 3, 3]);
  });
  it.each([
    ['an atom', 3, 4],
    ['a value beside an atom', 3.0001, 1],
    ['the lowest possible value', -10, 0],
    ['less than is possible', -10.5, 5],
    ['more than is possible', 100.5, 6],
    ['nothing', null, 7],
    ['no value at all', undefined, 7],
    ['not a number', Number.NaN, 7],
    ['a name', 'steel', 7],
    ['infinity', Number.POSITIVE_INFINITY, 8],
    ['minus infinity', Number.NEGATIVE_INFINITY, 8],
  ])('hold %s', (_, value, cell) => {
    expect(cellOf(cells, value)).toBe(cell);
  });
  it('are found as by counting the edges below', () => {
    const numbers = fc.double({ noNaN: true });
    fc.assert(
      fc.property(fc.array(numbers, { maxLength: 40 }), numbers, (unordered, value) => {
        const edges = unordered.sort((a, b) => a - b);
        expect(innerCellOf(edges, value)).toBe(edges.filter((e) => e <= value).length);
      }),
    );
  });
});

describe('cells of a category', () => {
  it.each([
    ['steel', 0],
    ['brass', 1],
    ['lead', 2],
    ['wood', 3],
    [null, 4],
    [7, 4],
  ])('hold %s', (value, cell) => {
    expect(cellOf(names, value)).toBe(cell);
    expect(layoutOf(names).count).toBe(5);
  });
});

describe('what is normal of a feature', () => {
  const constant = numericCells([3], { atoms: [3], center: 3 });
  const baseline = baselineOf([
    featureOn('speed', numericCells([1], { center: 50, scale: 10 })),
    featureOn('fixed', constant, { counts: [0, 0, 1000, 0, 0, 0, 0] }),
    featureOn('material', names),
  ]);
  it('is its centre and scale', () => {
    expect(normalOf(baseline, 'speed')).toEqual({ center: 50, scale: 10 });
  });
  it('has no scale where the reference has one value only', () => {
    expect(normalOf(baseline, 'fixed')).toEqual({ center: 3, scale: 0 });
  });
  it('is not known of a category, of another feature, or without a baseline', () => {
    expect([normalOf(baseline, 'material'), normalOf(baseline, 'other'), normalOf(null, 'speed')]).toEqual([
      null,
      null,
      null,
    ]);
  });
});
