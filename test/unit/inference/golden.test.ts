import { fastestWithin, goldenMismatch, goldenRows } from '#core/inference/golden.ts';
import { makePackage, newSigner } from '../../support/model-package.ts';

const p = makePackage(newSigner());
const { golden } = p.manifest;
const expected = golden.samples.map((s) => s.expected);

describe('golden samples', () => {
  it('are read as rows of little-endian float32', () => {
    expect(goldenRows(golden, p.files.get('golden.bin') as Uint8Array)).toEqual([
      [0, 0],
      [10, 8],
      [30, 28],
    ]);
  });

  it('are refused when they are no whole number of rows', () => {
    expect(() => goldenRows(golden, new Uint8Array(7))).toThrow('expected rows of 8 bytes, got 7 bytes');
  });

  it('are refused when a sample names a row that is not there', () => {
    expect(() => goldenRows(golden, new Uint8Array(8))).toThrow('golden.bin has 1 rows; a sample names row 1');
  });

  it('agree within the tolerance of the variant, and NaN never does', () => {
    const off = expected.map((v) => v + 0.1);
    expect(goldenMismatch(golden, 'fp32', expected)).toBeNull();
    expect(goldenMismatch(golden, 'fp32', off)).toContain('fp32 gives');
    expect(goldenMismatch(golden, 'int8', off)).toBeNull();
    expect(goldenMismatch(golden, 'int8', [Number.NaN, ...expected.slice(1)])).toContain('int8 gives NaN');
    expect(goldenMismatch(golden, 'fp32', expected.slice(1))).not.toBeNull();
  });
});

describe('the variant that serves', () => {
  const bench = (variant: 'fp32' | 'int8', p99Ms: number) => ({ variant, p50Ms: 1, p99Ms, residentMiB: 50, runs: 10 });

  it('is the fastest within the budget', () => {
    expect(fastestWithin([bench('fp32', 3), bench('int8', 2)], 10)).toBe('int8');
    expect(fastestWithin([bench('fp32', 3), bench('int8', 20)], 10)).toBe('fp32');
  });

  it('is none when none is within the budget', () => {
    expect(fastestWithin([bench('fp32', 30)], 10)).toBeNull();
  });
});
