import type { UnitEnd } from '../contracts/judgement.ts';

const unitInterval = (x: number): number => Math.min(1, Math.max(0, x));

/**
 * Loss of one answer, 0 (right) to 1 (wrong by the cap of the label or more): |value − truth| / cap.
 * @param value label units, what the model said. @param truth label units. @param cap largest label (use case).
 */
export const boundedLoss = (value: number, truth: number, cap: number): number =>
  unitInterval(Math.abs(value - truth) / cap);

/**
 * Loss of one decision at frame `index` by how its unit turned out; null where nothing can be said.
 * - failed: how far the value is from the life that was left, as in training not above the cap.
 * - prevented: the unit lived at least until the repair; only a value below that is wrong, one above may be right.
 * - healthy: as found it was as good as new, so that the truth is the cap.
 */
export const decisionLoss = (
  decision: { readonly index: number; readonly value: number },
  of: { readonly end: UnitEnd; readonly endedAt: number },
  cap: number,
): number | null => {
  const lived = Math.min(of.endedAt - decision.index, cap);
  switch (of.end) {
    case 'failed':
      return boundedLoss(decision.value, lived, cap);
    case 'prevented':
      return unitInterval((lived - decision.value) / cap);
    case 'healthy':
      return unitInterval((cap - decision.value) / cap);
    case 'contradicted':
      return null;
  }
};

/**
 * The largest loss that a decision can have had: of a failure that was prevented the truth lies anywhere above what the unit
 * lived, and a value above that is wrong by all of its distance if the unit would have failed at once. Elsewhere it is the loss.
 */
export const largestLoss = (
  decision: { readonly index: number; readonly value: number },
  of: { readonly end: UnitEnd; readonly endedAt: number },
  cap: number,
): number | null =>
  of.end === 'prevented'
    ? boundedLoss(decision.value, Math.min(of.endedAt - decision.index, cap), cap)
    : decisionLoss(decision, of, cap);
