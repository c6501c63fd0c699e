import type { JoinedOutcomeRecord } from '../contracts/judgement.ts';
import { daysAfter } from '../policy/days-after.ts';

/** A unit that the judged package decided about. */
export interface ServedUnit {
  /** `asset/run` */
  readonly unit: string;
  /** Source time of its last decision. */
  readonly lastAt: string;
  /** Some package called it failing; absent: nobody kept that. */
  readonly rejected?: boolean;
}

interface KnownOutcome {
  readonly unit: string;
  readonly knownTime: string;
}

/** Units with an outcome that can be judged, by when it was known. */
export const knownUnits = (outcomes: readonly JoinedOutcomeRecord[]): readonly KnownOutcome[] =>
  outcomes.flatMap(({ asset, run, knownTime, loss, end }) =>
    loss === null || end === 'contradicted' ? [] : [{ unit: `${asset}/${run}`, knownTime }],
  );

/** The newest instant in what is known of units and outcomes: the present, for a judge that has no clock; null without any. */
export const newestInstant = (served: readonly ServedUnit[], known: readonly KnownOutcome[]): string | null =>
  [...served.map((s) => s.lastAt), ...known.map((k) => k.knownTime)].sort().at(-1) ?? null;

/**
 * Of how many units the outcome should be known by now, and of how many it is. A unit is mature when its last decision is
 * older than `maturityDays`; one whose outcome is known counts as mature at any age. The present is the newest instant in
 * the evidence, not a clock, so that a replay counts the same.
 * @param served units that the package decided about. @param known units with an outcome, by when it was known.
 */
export const coverageOf = (
  served: readonly ServedUnit[],
  known: readonly KnownOutcome[],
  maturityDays: number,
): { readonly matured: number; readonly known: number } => {
  const now = newestInstant(served, known);
  if (now === null) return { matured: 0, known: 0 };
  const mature = daysAfter(now, -maturityDays);
  const withOutcome = new Set(known.map((k) => k.unit));
  const old = served.filter((s) => s.lastAt <= mature && !withOutcome.has(s.unit));
  return { matured: withOutcome.size + new Set(old.map((s) => s.unit)).size, known: withOutcome.size };
};
