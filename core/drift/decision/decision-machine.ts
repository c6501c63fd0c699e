import type { LineJudgement, LineState } from '../../contracts/judgement.ts';
import { digestOf } from '../../lineage/digest.ts';
import { type LineEvidence, settledEvidence } from './evidence.ts';
import { countVotes } from './feature-votes.ts';
import { freshMemory, type OutcomeMemory, weigh } from './outcome-memory.ts';
import { reasonsOf } from './reasons.ts';
import { coolUntil, isWaiting, type Request, RetrainBook } from './retrain-requests.ts';

export type { LineEvidence, OutcomeEvidence, RetrainEvidence } from './evidence.ts';
export type { FeatureEvidence } from './feature-votes.ts';
export { retrainRequestId } from './retrain-requests.ts';

export type Judged = Omit<LineJudgement, 'schema' | 'site'> & {
  /** knownTime of the outcome that asks for the retrain of `action`: what its RetrainEvidence has as `at`. */
  readonly askedAt: string | null;
  /** The value and the state after each outcome, in the order they became known. */
  readonly path: readonly { readonly unit: string; readonly eValue: number; readonly state: LineState }[];
};

/**
 * Judges a model line by everything that is known of its champion (docs/judging.md). A pure fold over the evidence in
 * the order it became known: any order of arrival, and any repetition, gives the same judgement.
 * @throws {RangeError} when a loss is outside [0, 1].
 */
export const judgeLine = (given: LineEvidence): Judged => {
  const evidence = settledEvidence(given);
  const { modelLine, packageDigest, policy, outcomes } = evidence;
  const book = new RetrainBook(evidence);
  const votes = countVotes(evidence.features, policy.alpha);
  const stateOf = (m: OutcomeMemory, now: string, requests: readonly Request[]): LineState => {
    if (isWaiting(requests)) return 'RETRAIN_REQUESTED';
    if (m.confirmed) return Date.parse(now) < coolUntil(requests, policy.cooldownDays) ? 'COOLDOWN' : 'CONFIRMED';
    if (m.verifying) return 'VERIFY';
    return m.watching ? 'WATCH' : 'HEALTHY';
  };

  let memory = freshMemory(
    evidence.expectedLoss,
    book.others.some((r) => r.released === packageDigest),
  );
  let requests: readonly Request[] = outcomes.length === 0 ? book.own : [];
  const path: Judged['path'][number][] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const isLast = i === outcomes.length - 1;
    memory = weigh(memory, outcome, policy);
    // A retrain that was asked for by inputs, or by outcomes that were corrected since, is a fact all the same.
    if (isLast && book.own.length > requests.length) requests = book.own;
    const enough = i + 1 >= policy.minOutcomes;
    const contradicted = memory.calm >= policy.leaveAfter;
    const byInputs = isLast && votes.serious && !contradicted;
    if (enough && (memory.confirmed || byInputs)) requests = book.ask(requests, outcome.knownTime);
    path.push({
      unit: outcome.unit,
      eValue: memory.eValue.value,
      state: stateOf(memory, outcome.knownTime, requests),
    });
  }

  const now = outcomes.at(-1)?.knownTime ?? '';
  const request = requests.at(-1)?.outcome === 'asked' ? requests.at(-1) : undefined;
  const byOutcomes = stateOf(memory, now, requests);
  const state: LineState =
    byOutcomes !== 'HEALTHY'
      ? byOutcomes
      : votes.watch
        ? 'WATCH'
        : votes.held.length > 0
          ? 'DATA_QUALITY_HOLD'
          : 'HEALTHY';
  const missing = policy.minOutcomes - outcomes.length;
  const action: LineJudgement['action'] =
    request !== undefined
      ? { kind: 'retrain', requestId: request.requestId, count: outcomes.length }
      : (state === 'WATCH' || state === 'CONFIRMED') && missing > 0
        ? { kind: 'ask-labels', requestId: null, count: missing }
        : null;
  const meanLoss = outcomes.length === 0 ? null : outcomes.reduce((sum, o) => sum + o.loss, 0) / outcomes.length;
  return {
    modelLine,
    packageDigest,
    state,
    eValue: memory.eValue.value,
    threshold: policy.alarmAt,
    outcomes: outcomes.length,
    meanLoss,
    expectedLoss: evidence.expectedLoss,
    coverage: { ...evidence.coverage },
    worstAsset: memory.eValue.worstAsset,
    features: [...votes.features],
    action,
    reasons: reasonsOf(memory, evidence, {
      state,
      now,
      requests,
      action,
      votes,
      meanLoss,
      spent: book.isSpent(requests, now),
    }),
    evidenceDigest: digestOf(evidence),
    askedAt: request?.at ?? null,
    path,
  };
};
