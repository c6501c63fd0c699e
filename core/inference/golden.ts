import type { BenchResult } from '../contracts/device.ts';
import type { ModelPackageManifest, Variant } from '../contracts/model-package.ts';

/**
 * Rows of golden.bin: float32 little-endian, `features` wide.
 * @throws {Error} when the bytes are no whole number of rows or a named sample has no row.
 */
export const goldenRows = (
  golden: ModelPackageManifest['golden'],
  bytes: Uint8Array,
): readonly (readonly number[])[] => {
  const width = 4 * golden.features;
  if (bytes.length === 0 || bytes.length % width !== 0)
    throw new Error(`golden.bin: expected rows of ${width} bytes, got ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows = Array.from({ length: bytes.length / width }, (_, r) =>
    Array.from({ length: golden.features }, (_, i) => view.getFloat32(r * width + 4 * i, true)),
  );
  return golden.samples.map((s) => {
    const row = rows[s.row];
    if (row === undefined) throw new Error(`golden.bin has ${rows.length} rows; a sample names row ${s.row}`);
    return row;
  });
};

/**
 * Does this executor on this device give what was signed?
 * @param outputs answers to the golden samples, in their order.
 * @returns null when all are within tolerance, else the reason.
 */
export const goldenMismatch = (
  golden: ModelPackageManifest['golden'],
  variant: Variant['name'],
  outputs: readonly number[],
): string | null => {
  const tolerance = variant === 'int8' ? golden.int8Tolerance : golden.tolerance;
  for (const [i, sample] of golden.samples.entries()) {
    const got = outputs[i];
    // Written so that NaN is refused.
    if (got === undefined || !(Math.abs(got - sample.expected) <= tolerance))
      return `${variant} gives ${got} for golden sample ${i}; ${sample.expected} ± ${tolerance} was signed`;
  }
  return null;
};

/**
 * The fastest variant (p99) among those within the latency budget.
 * @returns null when none is.
 */
export const fastestWithin = (bench: readonly BenchResult[], budgetMs: number): Variant['name'] | null => {
  const fit = bench.filter((b) => b.p99Ms <= budgetMs).sort((a, b) => a.p99Ms - b.p99Ms || a.p50Ms - b.p50Ms);
  return fit[0]?.variant ?? null;
};
