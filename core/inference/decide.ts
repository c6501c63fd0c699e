import type { DecisionRecord } from '../contracts/decision.ts';
import type { ModelPackageManifest } from '../contracts/model-package.ts';

/** What came of asking the model about one frame. */
export type Attempt =
  | { readonly kind: 'answer'; readonly value: number }
  | { readonly kind: 'no-package'; readonly why?: string }
  | { readonly kind: 'missing-features'; readonly names: readonly string[] }
  | { readonly kind: 'late'; readonly afterMs: number }
  | { readonly kind: 'failed'; readonly why: string };

export interface Judgement {
  readonly verdict: Exclude<DecisionRecord['verdict'], 'held'>;
  readonly value: number | null;
  readonly reason: string;
}

/** What a verdict depends on, besides the model's answer: all of it is in the signed manifest. */
export type Rules = Pick<
  ModelPackageManifest,
  'thresholds' | 'fallback' | 'inputEnvelope' | 'expiresAt' | 'label' | 'featureSet'
>;

const MAX_REASON = 200;
const clip = (text: string): string => (text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON - 1)}…`);
const short = (n: number): string => String(Math.round(n * 1000) / 1000);

/** Index of the first feature outside its validated range; -1 when all are inside. */
export const outsideEnvelope = (envelope: Rules['inputEnvelope'], x: readonly number[]): number =>
  x.findIndex((v, i) => {
    const range = envelope[i];
    return range === undefined || !(v >= range[0] && v <= range[1]);
  });

/**
 * Turns an attempt into a verdict, the same way everywhere and every time.
 * Order: no usable answer → `fallback` with the declared message; input never validated, or value inside the unsure
 * band → `undecided`; value below the alarm threshold → `fail`; else `pass`. NaN and infinities are no answer.
 * @param rules of the serving package; null while there is none.
 * @param x the vector the model saw; null when there was none.
 * @param now UTC instant of the decision.
 */
export const judge = (rules: Rules | null, x: readonly number[] | null, attempt: Attempt, now: string): Judgement => {
  const fallback = (why: string): Judgement => ({
    verdict: 'fallback',
    value: null,
    reason: clip(rules === null ? why : `${rules.fallback.message}: ${why}`),
  });
  if (attempt.kind === 'no-package') return fallback(attempt.why ?? 'no model has been adopted yet');
  if (rules === null) return fallback('no model has been adopted yet');
  if (now > rules.expiresAt) return fallback(`the package expired at ${rules.expiresAt}`);
  if (attempt.kind === 'missing-features')
    return fallback(
      `no good value for ${attempt.names.slice(0, 4).join(', ')}${attempt.names.length > 4 ? ', …' : ''}`,
    );
  if (attempt.kind === 'late') return fallback(`no answer within ${short(attempt.afterMs)} ms`);
  if (attempt.kind === 'failed') return fallback(attempt.why);
  const { value } = attempt;
  if (!Number.isFinite(value)) return fallback('the model answered with no number');
  const outside = x === null ? 0 : outsideEnvelope(rules.inputEnvelope, x);
  if (outside >= 0) {
    const name = rules.featureSet.features[outside]?.name ?? String(outside);
    const [low, high] = rules.inputEnvelope[outside] ?? [Number.NaN, Number.NaN];
    return {
      verdict: 'undecided',
      value,
      reason: clip(`${name} = ${short(x?.[outside] ?? Number.NaN)} is outside ${short(low)} … ${short(high)}`),
    };
  }
  const { alarmBelow, undecidedBelow } = rules.thresholds;
  const unit = rules.label.unit;
  if (value < alarmBelow) return { verdict: 'fail', value, reason: `${short(value)} ${unit} < ${short(alarmBelow)}` };
  if (value < undecidedBelow)
    return {
      verdict: 'undecided',
      value,
      reason: `${short(value)} ${unit} is between ${short(alarmBelow)} and ${short(undecidedBelow)}`,
    };
  return { verdict: 'pass', value, reason: `${short(value)} ${unit} ≥ ${short(undecidedBelow)}` };
};
