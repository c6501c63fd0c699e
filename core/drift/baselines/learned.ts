import { addCounts, type Counts, type PackedCounts, pack, unpack } from './counts.ts';

/** A reference that a device makes for itself of its first windows, and then never changes: so it cannot hide ageing. */
export interface Learned {
  readonly windows: number;
  readonly packed: PackedCounts;
  /** Mean of each feature over the windows, in standard deviations of the reference rows; null for a category. */
  readonly center: readonly (number | null)[];
}

/** One window as baselines learn it. */
export interface WindowCounts {
  readonly rows: number;
  readonly counts: Counts;
  readonly means: readonly (number | null)[];
}

/** Windows that make a reference. */
export const LEARN_WINDOWS = 8;

export const isLearned = (learned: Learned): boolean => learned.windows >= LEARN_WINDOWS;

/** Adds a window until there are {@link LEARN_WINDOWS}; then it stays as it is. */
export const learn = (learned: Learned | undefined, window: WindowCounts): Learned => {
  if (learned === undefined) return { windows: 1, packed: pack(window.counts, window.rows), center: window.means };
  if (isLearned(learned)) return learned;
  const windows = learned.windows + 1;
  const rows = learned.packed.rows + window.rows;
  return {
    windows,
    packed: pack(addCounts(unpack(learned.packed), window.counts), rows),
    center: learned.center.map((c, f) => {
      const mean = window.means[f] ?? null;
      return c === null || mean === null ? (c ?? mean) : Math.fround(c + (mean - c) / windows);
    }),
  };
};
