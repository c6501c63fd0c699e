import { decisionLoss, type JudgedEnd, largestLoss } from './loss.ts';

/** A decision, as much as judging it needs. */
export interface Decided {
  readonly index: number;
  readonly value: number | null;
  readonly verdict: string;
}

export interface JoinedOutcome {
  readonly decisions: number;
  /** Decisions with a value; the rest were fallback or held. */
  readonly withValue: number;
  /** Mean bounded loss (core/outcomes/loss.ts); null when no decision has a value, or the end is contradicted. */
  readonly loss: number | null;
  /** Root mean square of value − min(endedAt − index, cap), label units; null unless the unit failed. */
  readonly rmse: number | null;
  /** Value minus truth of the last decision that has a value; null unless the unit failed. */
  readonly lastError: number | null;
  /** Mean of the largest losses that the decisions can have had; only of a failure that was prevented. */
  readonly lossAtMost?: number | null;
  /** Mean of value minus truth as a share of the cap, −1 to 1: above 0 too hopeful; only of a unit that failed. */
  readonly meanError?: number | null;
}

const mean = (of: readonly number[]): number | null =>
  of.length === 0 ? null : of.reduce((sum, x) => sum + x, 0) / of.length;

/** Joins decisions on one unit to its end, once that is known: how far off was each. Decisions after the end are left out. */
export const joinOutcome = (decisions: readonly Decided[], of: JudgedEnd, cap: number): JoinedOutcome => {
  const inside = decisions.filter((d) => d.index <= of.endedAt).sort((a, b) => a.index - b.index);
  const valued = inside.flatMap(({ index, value }) => (value === null ? [] : [{ index, value }]));
  const losses = valued.map((d) => decisionLoss(d, of, cap)).filter((loss) => loss !== null);
  const errors = of.end === 'failed' ? valued.map((d) => d.value - Math.min(of.endedAt - d.index, cap)) : [];
  const square = mean(errors.map((e) => e * e));
  const largest = valued.map((d) => largestLoss(d, of, cap)).filter((loss) => loss !== null);
  return {
    decisions: inside.length,
    withValue: valued.length,
    loss: mean(losses),
    rmse: square === null ? null : Math.sqrt(square),
    lastError: errors.at(-1) ?? null,
    ...(of.end === 'prevented' ? { lossAtMost: mean(largest) } : {}),
    ...(of.end === 'failed' ? { meanError: mean(errors.map((e) => Math.min(1, Math.max(-1, e / cap)))) } : {}),
  };
};
