import type { ChangeEvidence, OutcomeEvidence } from './evidence.ts';

/**
 * Changes of machines for which the policy declares a retrain: each asks once, when enough outcomes are known since to
 * learn from. @param changes and `outcomes` in the order they became known.
 */
export class DeclaredChanges {
  readonly #all: readonly { readonly change: ChangeEvidence; readonly dueAt: number }[];
  readonly #found = new Set<ChangeEvidence>();

  constructor(changes: readonly ChangeEvidence[], outcomes: readonly OutcomeEvidence[], minOutcomes: number) {
    this.#all = changes.flatMap((change) => {
      const first = outcomes.findIndex((o) => o.knownTime > change.knownTime);
      return first < 0 ? [] : [{ change, dueAt: first + minOutcomes - 1 }];
    });
  }

  /** @param at index of the outcome. @param asked retrains so far, under any champion. */
  due(at: number, asked: readonly { readonly at: string }[]): ChangeEvidence | null {
    const due = this.#all.find(({ change, dueAt }) => dueAt <= at && asked.every((r) => r.at <= change.validTime));
    if (due !== undefined) this.#found.add(due.change);
    return due?.change ?? null;
  }

  /** Those that were due: of any set of changes that has them, the same ones are. One at most for each retrain, and one more. */
  get found(): readonly ChangeEvidence[] {
    return [...this.#found];
  }
}
