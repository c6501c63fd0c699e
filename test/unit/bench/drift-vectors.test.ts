import { deviationOf, VECTORS } from '../../../bench/drift/vectors.ts';

describe('the reference values of drift.md §4 (scipy 1.17.1)', () => {
  it.each(VECTORS.map((v) => [v.name, v.what, v] as const))('%s: %s', (_, __, vector) => {
    expect(deviationOf(vector)).toBeLessThanOrEqual(1);
  });
  it('are those of all vectors, V1 to V14', () => {
    expect([...new Set(VECTORS.map((v) => v.name))]).toEqual(Array.from({ length: 14 }, (_, i) => `V${i + 1}`));
  });
  it('would not agree with a deviation in the twelfth digit', () => {
    expect(deviationOf({ name: '', what: '', ours: () => 1 + 2e-12, expected: 1 })).toBeGreaterThan(1);
  });
});
