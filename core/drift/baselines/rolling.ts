import { addCounts, type Counts, type PackedCounts, pack, unpack } from './counts.ts';

/**
 * What windows were like of late, whether they are as in training or not: it tells something that changed today from what is
 * known. It follows slow ageing and so hides it; therefore it never decides whether there is drift.
 */
export interface Rolling {
  readonly context: string;
  readonly packed: PackedCounts;
}

/** Windows after which one weighs half. */
const HALF_LIFE = 5;
const DECAY = 0.5 ** (1 / HALF_LIFE);

/** Takes a window in; one of another context begins anew. */
export const roll = (
  rolling: Rolling | null,
  window: { readonly context: string; readonly rows: number; readonly counts: Counts },
): Rolling => {
  if (rolling === null || rolling.context !== window.context)
    return { context: window.context, packed: pack(window.counts, window.rows) };
  const rows = Math.round(rolling.packed.rows * DECAY + window.rows);
  return { context: window.context, packed: pack(addCounts(unpack(rolling.packed), window.counts, DECAY), rows) };
};
