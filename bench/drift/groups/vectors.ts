import type { GroupOptions } from '../group.ts';
import { deviationOf, VECTORS } from '../vectors.ts';

/** G16: reference values of drift.md §4, V1 to V14: to 1e-12, tails to 1e-9, what is printed with few digits to all of them. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  for (const name of [...new Set(VECTORS.map((v) => v.name))]) {
    const mine = VECTORS.filter((v) => v.name === name);
    const deviations = mine.map(deviationOf);
    report.figure({
      name: `${name}: largest deviation over what is allowed, of ${mine.length}`,
      value: Math.max(...deviations),
      unit: '',
      goal: 1,
    });
  }
};
