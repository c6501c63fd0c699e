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
  /** Root mean square of value − min(endedAt − index, cap); null when no decision has a value. */
  readonly rmse: number | null;
  /** Value minus truth of the last decision that has a value. */
  readonly lastError: number | null;
}

/** Joins decisions on one run to its end, once that is known: how far off was each. Decisions after the end are left out. */
export const joinOutcome = (decisions: readonly Decided[], endedAt: number, cap: number): JoinedOutcome => {
  const inside = decisions.filter((d) => d.index <= endedAt).sort((a, b) => a.index - b.index);
  const errors = inside.flatMap((d) => (d.value === null ? [] : [d.value - Math.min(endedAt - d.index, cap)]));
  return {
    decisions: inside.length,
    withValue: errors.length,
    rmse: errors.length === 0 ? null : Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / errors.length),
    lastError: errors.at(-1) ?? null,
  };
};
