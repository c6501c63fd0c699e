/** Answers from a row of inputs. */
export type Model = (row: readonly number[]) => number;

const FAR = 4;

/** Row, its squares and products, after each input was put to mean 0 and deviation 1 and held within four of these. */
const expand = (row: readonly number[], means: readonly number[], scales: readonly number[]): number[] => {
  const z = row.map((x, i) => Math.max(-FAR, Math.min(FAR, (x - (means[i] as number)) / (scales[i] as number))));
  const terms = [1, ...z];
  for (let i = 0; i < z.length; i++) for (let j = i; j < z.length; j++) terms.push((z[i] as number) * (z[j] as number));
  return terms;
};

/** Solves A w = b for a symmetric positive definite A by its Cholesky factor. */
const solve = (a: readonly Float64Array[], b: Float64Array): Float64Array => {
  const n = b.length;
  const at = (m: readonly Float64Array[], i: number, j: number): number => (m[i] as Float64Array)[j] as number;
  const l = Array.from({ length: n }, () => new Float64Array(n));
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = at(a, i, j);
      for (let k = 0; k < j; k++) sum -= at(l, i, k) * at(l, j, k);
      (l[i] as Float64Array)[j] = i === j ? Math.sqrt(sum) : sum / at(l, j, j);
    }
  const w = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) w[i] = (w[i] as number) - at(l, i, k) * (w[k] as number);
    w[i] = (w[i] as number) / at(l, i, i);
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) w[i] = (w[i] as number) - at(l, k, i) * (w[k] as number);
    w[i] = (w[i] as number) / at(l, i, i);
  }
  return w;
};

/**
 * Ridge regression on inputs, their squares and products (Hoerl & Kennard 1970): a model that any plant might have, and
 * that is trained in a moment.
 * @param penalty on the squares of the weights, of inputs with deviation 1.
 */
export const trainRidge = (
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  penalty: number,
): Model => {
  const width = (rows[0] as readonly number[]).length;
  const column = (i: number): number[] => rows.map((row) => row[i] as number);
  const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
  const means = Array.from({ length: width }, (_, i) => mean(column(i)));
  const scales = means.map((m, i) => Math.sqrt(mean(column(i).map((x) => (x - m) ** 2))) || 1);
  const terms = expand(rows[0] as readonly number[], means, scales).length;
  const gram = Array.from({ length: terms }, (_, i) => {
    const line = new Float64Array(terms);
    line[i] = penalty;
    return line;
  });
  const moments = new Float64Array(terms);
  for (const [r, row] of rows.entries()) {
    const x = expand(row, means, scales);
    for (let i = 0; i < terms; i++) {
      const xi = x[i] as number;
      const line = gram[i] as Float64Array;
      for (let j = 0; j <= i; j++) line[j] = (line[j] as number) + xi * (x[j] as number);
      moments[i] = (moments[i] as number) + xi * (targets[r] as number);
    }
  }
  const weights = solve(gram, moments);
  return (row) => expand(row, means, scales).reduce((sum, x, i) => sum + x * (weights[i] as number), 0);
};
