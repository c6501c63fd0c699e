import { gammaPQ } from '#core/drift/tolerance/noncentral-chi2.ts';

export interface ChiSquare {
  readonly statistic: number;
  readonly dof: number;
  readonly p: number;
}

const tail = (statistic: number, dof: number): ChiSquare => ({
  statistic,
  dof,
  p: gammaPQ(dof / 2, statistic / 2)[1],
});

/** Columns that are empty in all rows say nothing. */
const filled = (table: readonly (readonly number[])[]): number[][] => {
  const kept = (table[0] as readonly number[]).map((_, j) => table.some((row) => (row[j] as number) > 0));
  return table.map((row) => row.filter((_, j) => kept[j]));
};

/**
 * Pearson's test of homogeneity, as `scipy.stats.chi2_contingency`: with Yates' correction where there is one degree of
 * freedom, unless told otherwise.
 */
export const contingency = (table: readonly (readonly number[])[], yates = true): ChiSquare => {
  const rows = filled(table);
  const sums = rows.map((row) => row.reduce((a, b) => a + b, 0));
  const columns = (rows[0] as number[]).map((_, j) => rows.reduce((sum, row) => sum + (row[j] as number), 0));
  const n = sums.reduce((a, b) => a + b, 0);
  const dof = (rows.length - 1) * (columns.length - 1);
  let statistic = 0;
  for (const [i, row] of rows.entries())
    for (const [j, count] of row.entries()) {
      const expected = ((sums[i] as number) * (columns[j] as number)) / n;
      const off = Math.abs(count - expected);
      statistic += (off - (yates && dof === 1 ? Math.min(0.5, off) : 0)) ** 2 / expected;
    }
  return tail(statistic, dof);
};

/** Evidently 0.7.21: goodness of fit to the reference scaled to as many rows, as if the reference were exact. */
export const goodnessOfFit = (reference: readonly number[], counts: readonly number[]): ChiSquare => {
  const scale = counts.reduce((a, b) => a + b, 0) / reference.reduce((a, b) => a + b, 0);
  const statistic = counts.reduce((sum, c, i) => {
    const expected = (reference[i] as number) * scale;
    return sum + (c - expected) ** 2 / expected;
  }, 0);
  return tail(statistic, counts.length - 1);
};

/** Cramér's V with Bergsma's correction (2013), of two rows. */
export const cramersV = (reference: readonly number[], counts: readonly number[]): number => {
  const { statistic } = contingency([reference, counts], false);
  const n = [...reference, ...counts].reduce((a, b) => a + b, 0);
  const k = counts.length;
  const corrected = Math.max(0, statistic / n - (k - 1) / (n - 1));
  return Math.sqrt(corrected / Math.min(k - (k - 1) ** 2 / (n - 1) - 1, 2 - 1 / (n - 1) - 1));
};
