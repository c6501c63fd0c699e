import type { UnitEnd } from '../contracts/judgement.ts';

const unitInterval = (x: number): number => Math.min(1, Math.max(0, x));

/**
 * Loss of one answer, 0 (right) to 1 (wrong by the cap of the label or more): |value − truth| / cap.
 * @param value label units, what the model said. @param truth label units. @param cap largest label (use case).
 */
export const boundedLoss = (value: number, truth: number, cap: number): number =>
  unitInterval(Math.abs(value - truth) / cap);

/** How a unit ended, as much as a loss needs. */
export interface JudgedEnd {
  readonly end: UnitEnd;
  /** Frame index. */
  readonly endedAt: number;
  /** Of a failure that was prevented: what it would have lived on at most, label units, by who opened it; absent: nobody said. */
  readonly leftAtMost?: number | undefined;
}

/** Least and largest life that a unit can have had left at a frame, label units; null where nothing can be said. */
const truthBetween = (index: number, of: JudgedEnd, cap: number): readonly [number, number] | null => {
  const lived = Math.min(of.endedAt - index, cap);
  switch (of.end) {
    case 'failed':
      return [lived, lived];
    case 'prevented':
      return [lived, Math.min(of.endedAt - index + (of.leftAtMost ?? Number.POSITIVE_INFINITY), cap)];
    case 'healthy':
      return [cap, cap];
    case 'contradicted':
      return null;
  }
};

/**
 * Loss of one decision at frame `index` by how its unit turned out; null where nothing can be said.
 * - failed: how far the value is from the life that was left, as in training not above the cap.
 * - prevented: the unit lived at least until the repair, and on from there no longer than who opened it says; only a value
 *   outside is wrong. Where nobody said that, one above may be right.
 * - healthy: as found it was as good as new, so that the truth is the cap; a value above it is right.
 */
export const decisionLoss = (
  decision: { readonly index: number; readonly value: number },
  of: JudgedEnd,
  cap: number,
): number | null => {
  const between = truthBetween(decision.index, of, cap);
  if (between === null) return null;
  const above = of.end === 'failed' || of.leftAtMost !== undefined ? decision.value - between[1] : 0;
  return unitInterval(Math.max(between[0] - decision.value, above) / cap);
};

/** The largest loss that a decision can have had: of a prevented failure the truth may lie at either end of its bounds. */
export const largestLoss = (
  { index, value }: { readonly index: number; readonly value: number },
  of: JudgedEnd,
  cap: number,
): number | null => {
  const between = truthBetween(index, of, cap);
  if (between === null || of.end !== 'prevented') return decisionLoss({ index, value }, of, cap);
  return Math.max(...between.map((truth) => boundedLoss(value, truth, cap)));
};
