import type { LineAction, LineJudgement, LineState } from '../../contracts/judgement.ts';
import { digestOf } from '../../lineage/digest.ts';
import { limitOf, limitsAlong, siteBudget } from './alarm-limit.ts';
import { DeclaredChanges } from './declared-changes.ts';
import { type ChangeEvidence, type LineEvidence, type OutcomeEvidence, settledEvidence } from './evidence.ts';
import { countVotes } from './feature-votes.ts';
import { actionIn, stateByInputs, stateByOutcomes } from './line-state.ts';
import { freshMemory, type OutcomeMemory, weigh } from './outcome-memory.ts';
import { reasonsOf } from './reasons.ts';
import { coolUntil, type Request, RetrainBook } from './retrain-requests.ts';
import { retrainWorth } from './retrain-worth.ts';

export type { ChangeEvidence, LineEvidence, OutcomeEvidence, RetrainEvidence } from './evidence.ts';
export type { FeatureEvidence } from './feature-votes.ts';
export { retrainRequestId } from './retrain-requests.ts';

export type Judged = Omit<LineJudgement, 'schema' | 'site'> & {
  /** knownTime of the outcome that asks for the retrain of `action`: what its RetrainEvidence has as `at`. */
  readonly askedAt: string | null;
  /** The value and the state after each outcome, in the order they became known. */
  readonly path: readonly { readonly unit: string; readonly eValue: number; readonly state: LineState }[];
  /** Changes of machines that bear on the judgement: with these alone it is the same, but for the digest of what it is of. */
  readonly bearing: readonly ChangeEvidence[];
};

/** Mean by weight; null without outcomes. */
const meanLossOf = (outcomes: readonly OutcomeEvidence[]): number | null => {
  const weight = outcomes.reduce((sum, o) => sum + (o.weight ?? 1), 0);
  return weight === 0 ? null : outcomes.reduce((sum, o) => sum + (o.weight ?? 1) * o.loss, 0) / weight;
};

/**
 * Judges a model line by everything that is known of its champion (docs/judging.md). A pure fold over the evidence in
 * the order it became known: any order of arrival, and any repetition, gives the same judgement.
 * @throws {RangeError} when a loss is outside [0, 1].
 */
export const judgeLine = (given: LineEvidence): Judged => {
  const evidence = settledEvidence(given);
  const { modelLine, packageDigest, policy, outcomes } = evidence;
  const isShadow = policy.drift?.mode === 'shadow';
  const budget = siteBudget(policy, evidence.lines ?? 1);
  const limits = limitsAlong(
    policy.alarmAt,
    budget,
    outcomes.map((o) => o.knownTime),
  );
  const book = new RetrainBook(evidence);
  const changes = new DeclaredChanges(evidence.changes ?? [], outcomes, policy.minOutcomes);
  const votes = countVotes(evidence.features, policy.alpha, budget);
  const worthOf = (m: OutcomeMemory) => retrainWorth(policy.drift?.cost, m.excess.perOutcome);
  /** What a shadow asks for, nobody hears. */
  const heard = (requests: readonly Request[]) => requests.filter((r) => !isShadow || r.outcome !== 'asked');
  const stateOf = (m: OutcomeMemory, now: string, requests: readonly Request[]): LineState =>
    stateByOutcomes(m, heard(requests), Date.parse(now) < coolUntil(heard(requests), policy.cooldownDays));

  let memory = freshMemory(
    evidence.expectedLoss,
    book.others.some((r) => r.released === packageDigest),
  );
  let requests: readonly Request[] = outcomes.length === 0 ? book.own : [];
  const path: Judged['path'][number][] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const isLast = i === outcomes.length - 1;
    memory = weigh(memory, outcome, limits[i] as number, policy.leaveAfter);
    // A retrain that was asked for by inputs, or by outcomes that were corrected since, is a fact all the same.
    if (isLast && book.own.length > requests.length) requests = book.own;
    const contradicted = memory.calm >= policy.leaveAfter;
    const byInputs = isLast && votes.serious && !contradicted;
    const isWorthIt = worthOf(memory)?.isWorthIt ?? true;
    const byEvidence = i + 1 >= policy.minOutcomes && (memory.confirmed || byInputs) && isWorthIt;
    if (byEvidence || changes.due(i, [...book.others, ...requests]) !== null)
      requests = book.ask(requests, outcome.knownTime);
    path.push({
      unit: outcome.unit,
      eValue: memory.eValue.value,
      state: stateOf(memory, outcome.knownTime, requests),
    });
  }

  const now = outcomes.at(-1)?.knownTime ?? '';
  const request = requests.at(-1)?.outcome === 'asked' ? requests.at(-1) : undefined;
  const byOutcomes = stateOf(memory, now, requests);
  const state = byOutcomes === 'HEALTHY' ? stateByInputs(votes) : byOutcomes;
  const wanted: LineAction | null =
    request === undefined
      ? actionIn(state, votes, policy, policy.minOutcomes - outcomes.length)
      : { kind: 'retrain', requestId: request.requestId, count: outcomes.length };
  const action = isShadow ? null : wanted;
  const change =
    request === undefined ? null : changes.due(outcomes.length - 1, [...book.others, ...requests.slice(0, -1)]);
  const meanLoss = meanLossOf(outcomes);
  const threshold = limits.at(-1) ?? limitOf(policy.alarmAt, budget, 1);
  return {
    modelLine,
    packageDigest,
    state,
    eValue: memory.eValue.value,
    threshold,
    outcomes: outcomes.length,
    meanLoss,
    expectedLoss: evidence.expectedLoss,
    coverage: { ...evidence.coverage },
    worstAsset: memory.eValue.worstAsset,
    features: [...votes.features],
    action,
    ...(isShadow ? { wouldHave: wanted } : {}),
    reasons: reasonsOf(memory, evidence, {
      state,
      now,
      requests: heard(requests),
      action,
      wouldHave: isShadow ? wanted : null,
      votes,
      meanLoss,
      threshold,
      worth: memory.confirmed ? worthOf(memory) : null,
      change,
      spent: book.isSpent(heard(requests), now),
    }),
    evidenceDigest: digestOf(evidence),
    askedAt: isShadow ? null : (request?.at ?? null),
    path,
    bearing: changes.found,
  };
};
