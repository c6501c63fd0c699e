import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { canonicalJson } from '../../lineage/canonical-json.ts';
import type { FeatureEvidence } from './feature-votes.ts';

/** Mean bounded loss of one unit (a run of an asset) that the judged package decided about. */
export interface OutcomeEvidence {
  /** `asset/run` */
  readonly unit: string;
  readonly asset: string;
  readonly knownTime: string;
  /** 0 to 1 */
  readonly loss: number;
  /** Of a selected outcome, (0, 1] (`weightOf` in core/outcomes/selection.ts); absent: 1. */
  readonly weight?: number;
}

/** Something that was changed on a machine, for which the policy declares a retrain. */
export interface ChangeEvidence {
  readonly eventId: string;
  readonly kind: string;
  readonly asset: string;
  readonly validTime: string;
  readonly knownTime: string;
}

/** How a retrain that the machine asked for ended; `not-released`: it made a candidate whose release did not go through. */
export interface RetrainEvidence {
  readonly requestId: string;
  /** knownTime of the outcome that asked */
  readonly at: string;
  readonly outcome: 'running' | 'candidate' | 'refused' | 'failed' | 'skipped' | 'not-released';
  /** The package that it made and that was released; absent while none was. */
  readonly released?: string;
}

export interface LineEvidence {
  readonly modelLine: string;
  readonly policy: JudgingPolicy;
  /** The champion; outcomes and features are of this package only. */
  readonly packageDigest: string;
  /** Upper bound of its validation loss plus the tolerance. */
  readonly expectedLoss: number;
  readonly outcomes: readonly OutcomeEvidence[];
  readonly features: readonly FeatureEvidence[];
  /** Of this line, asked for under all champions. */
  readonly retrains: readonly RetrainEvidence[];
  /** Since the champion serves; absent: the policy declares a retrain for none. */
  readonly changes?: readonly ChangeEvidence[];
  /** Model lines of the site, which share the budget of alarms; absent: this one alone. */
  readonly lines?: number;
  readonly coverage: { readonly matured: number; readonly known: number };
}

/** One of each key, the one that sorts last; sorted by `order`, so that the order of arrival says nothing. */
const settle = <T>(all: readonly T[], key: (t: T) => string, order: (t: T) => string): readonly T[] => {
  const inOrder = all.map((t) => ({ t, at: order(t) })).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
  // Of one key the last stays, at the place of the last.
  const newest = new Map<string, T>();
  for (const { t } of inOrder) {
    newest.delete(key(t));
    newest.set(key(t), t);
  }
  return [...newest.values()];
};

/** The evidence in the order it became known, each thing once: what is judged, and what its digest is of. */
export const settledEvidence = (e: LineEvidence): LineEvidence => ({
  ...e,
  outcomes: settle(
    e.outcomes,
    (o) => o.unit,
    (o) => `${o.knownTime} ${o.unit} ${o.loss.toFixed(15)} ${o.weight ?? ''}`,
  ),
  features: settle(
    e.features,
    (f) => f.device,
    (f) => `${f.device} ${f.at} ${canonicalJson(f)}`,
  ),
  retrains: settle(
    e.retrains,
    (r) => r.requestId,
    (r) => `${r.requestId} ${r.outcome === 'running' ? 0 : 1} ${r.at} ${r.outcome} ${r.released ?? ''}`,
  ),
  ...(e.changes === undefined
    ? {}
    : {
        changes: settle(
          e.changes,
          (c) => c.eventId,
          (c) => `${c.knownTime} ${canonicalJson(c)}`,
        ),
      }),
});
