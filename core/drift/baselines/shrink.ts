import type { Counts } from './counts.ts';

const sum = (cells: readonly number[]): number => cells.reduce((a, b) => a + b, 0);

/**
 * How many rows of the pooled distribution the prior of a context is worth: moment estimator of the Dirichlet-multinomial
 * (Brier 1980, "Analysis of contingency tables under cluster sampling"). A context that is like the pooled one is held
 * against that; one that differs more than its rows explain is trusted sooner.
 * @param design by how much χ² of rows that follow each other is larger than that of independent ones.
 * @returns between 1 and the rows of `pooled`.
 */
export const priorRows = (own: readonly number[], pooled: readonly number[], design = 1): number => {
  const n = sum(own);
  const m = sum(pooled);
  if (n < 2 || m === 0) return m;
  const occupied = pooled
    .map((c, i) => ({ expected: (n * c) / m, seen: own[i] as number }))
    .filter((c) => c.expected > 0);
  // Rows where the pooled distribution has none at all: it says nothing about this context.
  if (sum(occupied.map((c) => c.seen)) < n / 2) return 1;
  const statistic = occupied.reduce((total, { expected, seen }) => total + (seen - expected) ** 2 / expected, 0);
  const factor = statistic / Math.max(1, occupied.length - 1) / design;
  const correlation = (factor - 1) / (n - 1);
  return correlation <= 0 ? m : Math.min(m, Math.max(1, 1 / correlation - 1));
};

/**
 * Counts of a context with those of the pooled distribution as its Dirichlet prior, feature by feature. They add up to the
 * rows of both, since both are known.
 * @param designs of each feature; absent: rows are independent.
 */
export const shrunk = (own: Counts, pooled: Counts, designs: readonly number[] = []): Counts =>
  own.map((cells, f) => {
    const prior = pooled[f] as readonly number[];
    const m = sum(prior);
    const weight = m === 0 ? 0 : priorRows(cells, prior, designs[f] ?? 1) / m;
    return cells.map((c, i) => c + weight * (prior[i] as number));
  });
