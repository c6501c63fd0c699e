import type { JointBaseline } from '#core/contracts/baseline.ts';

const SWEEPS = 60;

/** Eigenvalues and vectors of a symmetric matrix, largest first, by Jacobi rotations (Golub & Van Loan, §8.5). */
export const eigenOf = (
  symmetric: readonly (readonly number[])[],
): { readonly value: number; readonly vector: number[] }[] => {
  const n = symmetric.length;
  const a = symmetric.map((row) => Float64Array.from(row));
  const v = a.map((_, i) => Float64Array.from(a, (_r, j) => (i === j ? 1 : 0)));
  const at = (m: readonly Float64Array[], i: number, j: number): number => (m[i] as Float64Array)[j] as number;
  const put = (m: readonly Float64Array[], i: number, j: number, x: number): void => {
    (m[i] as Float64Array)[j] = x;
  };
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let off = 0;
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) off += at(a, p, q) ** 2;
    if (off < 1e-20) break;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        if (Math.abs(at(a, p, q)) < 1e-300) continue;
        const theta = (at(a, q, q) - at(a, p, p)) / (2 * at(a, p, q));
        const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1);
        const s = t * c;
        for (let k = 0; k < n; k++) {
          const [x, y] = [at(a, k, p), at(a, k, q)];
          put(a, k, p, c * x - s * y);
          put(a, k, q, s * x + c * y);
        }
        for (let k = 0; k < n; k++) {
          const [x, y] = [at(a, p, k), at(a, q, k)];
          put(a, p, k, c * x - s * y);
          put(a, q, k, s * x + c * y);
          const [u, w] = [at(v, k, p), at(v, k, q)];
          put(v, k, p, c * u - s * w);
          put(v, k, q, s * u + c * w);
        }
      }
  }
  return Array.from({ length: n }, (_, i) => ({ value: at(a, i, i), vector: v.map((row) => row[i] as number) })).sort(
    (x, y) => y.value - x.value,
  );
};

/** Components of standardised rows that hold `share` of the variance; at least one is left out, so that Q says something. */
export const componentsOf = (rows: readonly (readonly number[])[], share: number): JointBaseline => {
  const width = (rows[0] as readonly number[]).length;
  const mean = Array.from({ length: width }, (_, i) => rows.reduce((s, r) => s + (r[i] as number), 0) / rows.length);
  const scale = mean.map(
    (m, i) => Math.sqrt(rows.reduce((s, r) => s + ((r[i] as number) - m) ** 2, 0) / (rows.length - 1)) || 1,
  );
  const z = rows.map((r) => r.map((x, i) => (x - (mean[i] as number)) / (scale[i] as number)));
  const covariance = mean.map((_, i) =>
    mean.map((_m, j) => z.reduce((s, r) => s + (r[i] as number) * (r[j] as number), 0) / (z.length - 1)),
  );
  const eigen = eigenOf(covariance);
  const total = eigen.reduce((s, e) => s + e.value, 0);
  let held = 0;
  let kept = 0;
  while (kept < width - 1 && held < share * total) held += (eigen[kept++] as { value: number }).value;
  const of = eigen.slice(0, kept);
  return { mean, scale, loadings: of.map((e) => e.vector), variances: of.map((e) => e.value) };
};
