import type { LineJudgement, LineState } from '../../contracts/judgement.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import { digestOf } from '../../lineage/digest.ts';
import { countVotes, type FeatureEvidence, type FeatureVotes } from './feature-votes.ts';
import { LineEValue } from './line-e-value.ts';

export type { FeatureEvidence } from './feature-votes.ts';

/** Mean bounded loss of one unit (a run of an asset) that the judged package decided about. */
export interface OutcomeEvidence {
  /** `asset/run` */
  readonly unit: string;
  readonly asset: string;
  readonly knownTime: string;
  /** 0 to 1 */
  readonly loss: number;
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
  readonly coverage: { readonly matured: number; readonly known: number };
}

export type Judged = Omit<LineJudgement, 'schema' | 'site'> & {
  /** knownTime of the outcome that asks for the retrain of `action`: what its RetrainEvidence has as `at`. */
  readonly askedAt: string | null;
  /** The value and the state after each outcome, in the order they became known. */
  readonly path: readonly { readonly unit: string; readonly eValue: number; readonly state: LineState }[];
};

interface Request {
  readonly requestId: string;
  readonly at: string;
  readonly outcome: RetrainEvidence['outcome'] | 'asked';
}

const DAY_MS = 86_400_000;
const WAITING: readonly Request['outcome'][] = ['asked', 'running', 'candidate'];

/** Id of the n-th retrain (from 1) that the machine asks for under a champion: the same whoever asks, and however often. */
export const retrainRequestId = (modelLine: string, packageDigest: string, ordinal: number): string =>
  `drift-${digestOf({ modelLine, ordinal, packageDigest }).slice('sha256:'.length, 'sha256:'.length + 16)}`;

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

const sorted = (e: LineEvidence): LineEvidence => ({
  ...e,
  outcomes: settle(
    e.outcomes,
    (o) => o.unit,
    (o) => `${o.knownTime} ${o.unit} ${o.loss.toFixed(15)}`,
  ),
  features: settle(
    e.features,
    (f) => f.device,
    (f) => `${f.device} ${f.at} ${f.psi.toFixed(15)}`,
  ),
  retrains: settle(
    e.retrains,
    (r) => r.requestId,
    (r) => `${r.requestId} ${r.outcome === 'running' ? 0 : 1} ${r.at} ${r.outcome} ${r.released ?? ''}`,
  ),
});

/** Consecutive requests at the end that made no champion. */
const inVain = (requests: readonly Request[]): number =>
  requests.length - 1 - requests.findLastIndex((r) => WAITING.includes(r.outcome));

/** End of the cooldown after the newest request, in ms since the epoch; 0 when there is none. */
const coolUntil = (requests: readonly Request[], days: number): number => {
  const vain = inVain(requests);
  const last = requests.at(-1);
  return last === undefined || vain === 0 ? 0 : Date.parse(last.at) + days * DAY_MS * 2 ** (vain - 1);
};

interface Memory {
  readonly eValue: LineEValue;
  /** Outcomes in a row below the root of the threshold. */
  readonly calm: number;
  readonly watching: boolean;
  readonly confirmed: boolean;
  /** The package was asked for by the machine and has not yet shown that it is better. */
  readonly verifying: boolean;
  readonly requests: readonly Request[];
}

const weigh = (before: Memory, outcome: OutcomeEvidence, policy: JudgingPolicy): Memory => {
  const eValue = before.eValue.update(outcome);
  const calm = eValue.value < Math.sqrt(policy.alarmAt) ? before.calm + 1 : 0;
  const left = calm >= policy.leaveAfter;
  const confirmed = eValue.value >= policy.alarmAt || (before.confirmed && !left);
  return {
    eValue,
    calm,
    confirmed,
    watching: confirmed || calm === 0 || (before.watching && !left),
    verifying: before.verifying && !left && !confirmed,
    requests: before.requests,
  };
};

/**
 * Judges a model line by everything that is known of its champion (docs/judging.md). A pure fold over the evidence in
 * the order it became known: any order of arrival, and any repetition, gives the same judgement.
 * @throws {RangeError} when a loss is outside [0, 1].
 */
export const judgeLine = (given: LineEvidence): Judged => {
  const evidence = sorted(given);
  const { modelLine, packageDigest, policy, outcomes, retrains } = evidence;
  const idOf = (ordinal: number) => retrainRequestId(modelLine, packageDigest, ordinal);
  const known = new Map(retrains.map((r) => [r.requestId, r]));
  const own: RetrainEvidence[] = [];
  for (let r = known.get(idOf(1)); r !== undefined; r = known.get(idOf(own.length + 1))) own.push(r);
  const others = retrains.filter((r) => !own.includes(r));
  const votes = countVotes(evidence.features, policy.alpha);

  const spent = (requests: readonly Request[], now: string): boolean =>
    [...others, ...requests].filter((r) => Date.parse(r.at) > Date.parse(now) - policy.budgetDays * DAY_MS).length >=
    policy.maxRetrains;
  const ask = (memory: Memory, now: string): Memory => {
    const { requests } = memory;
    const last = requests.at(-1);
    const busy = last !== undefined && WAITING.includes(last.outcome);
    if (busy || Date.parse(now) < coolUntil(requests, policy.cooldownDays) || spent(requests, now)) return memory;
    const requestId = idOf(requests.length + 1);
    const found = known.get(requestId);
    const at = found !== undefined && found.at < now ? found.at : now;
    return { ...memory, requests: [...requests, { requestId, at, outcome: found?.outcome ?? 'asked' }] };
  };
  const stateOf = (m: Memory, now: string, requests: readonly Request[]): LineState => {
    const last = requests.at(-1);
    if (last !== undefined && WAITING.includes(last.outcome)) return 'RETRAIN_REQUESTED';
    if (m.confirmed) return Date.parse(now) < coolUntil(requests, policy.cooldownDays) ? 'COOLDOWN' : 'CONFIRMED';
    if (m.verifying) return 'VERIFY';
    return m.watching ? 'WATCH' : 'HEALTHY';
  };

  const mean = Math.min(0.999, Math.max(0.001, evidence.expectedLoss));
  let memory: Memory = {
    eValue: LineEValue.start(mean),
    calm: 0,
    watching: false,
    confirmed: false,
    verifying: others.some((r) => r.released === packageDigest),
    requests: [],
  };
  const path: Judged['path'][number][] = [];
  for (const [i, outcome] of outcomes.entries()) {
    const isLast = i === outcomes.length - 1;
    memory = weigh(memory, outcome, policy);
    // A retrain that was asked for by inputs, or by outcomes that were corrected since, is a fact all the same.
    if (isLast && own.length > memory.requests.length) memory = { ...memory, requests: own };
    const enough = i + 1 >= policy.minOutcomes;
    const contradicted = memory.calm >= policy.leaveAfter;
    const byInputs = isLast && votes.serious && !contradicted;
    if (enough && (memory.confirmed || byInputs)) memory = ask(memory, outcome.knownTime);
    path.push({
      unit: outcome.unit,
      eValue: memory.eValue.value,
      state: stateOf(memory, outcome.knownTime, memory.requests),
    });
  }

  const now = outcomes.at(-1)?.knownTime ?? '';
  const requests: readonly Request[] = outcomes.length === 0 ? own : memory.requests;
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
      spent: spent(requests, now),
    }),
    evidenceDigest: digestOf(evidence),
    askedAt: request?.at ?? null,
    path,
  };
};

interface Verdict {
  readonly state: LineState;
  readonly now: string;
  readonly requests: readonly Request[];
  readonly action: LineJudgement['action'];
  readonly votes: FeatureVotes;
  /** Null without outcomes. */
  readonly meanLoss: number | null;
  readonly spent: boolean;
}

/** Names that a sentence says; of a whole fleet the first few. */
const NAMED = 5;
const few = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');

const reasonsOf = (memory: Memory, { policy, outcomes, expectedLoss }: LineEvidence, v: Verdict): string[] => {
  const reasons: string[] = [];
  const last = v.requests.at(-1);
  if (v.meanLoss === null) reasons.push('no outcome is known yet of what this package decided');
  else
    reasons.push(
      `${outcomes.length} outcomes with a mean loss of ${v.meanLoss.toFixed(3)}, expected at most ${expectedLoss.toFixed(3)}: ` +
        `e-value ${memory.eValue.value.toPrecision(3)}, confirmed at ${policy.alarmAt}`,
    );
  if (memory.confirmed) reasons.push(`the loss is confirmed larger; most of all on ${memory.eValue.worstAsset}`);
  if (v.votes.watch)
    reasons.push(
      `inputs are not as in training on ${few(v.votes.voting)}: ${v.votes.features.slice(0, 3).join(', ')}` +
        (memory.calm >= policy.leaveAfter ? '; outcomes hold, so nothing follows from it' : ''),
    );
  const { held } = v.votes;
  for (const { device, quality } of held.slice(0, NAMED))
    reasons.push(`the inputs of ${device} have no vote: ${quality}`);
  if (held.length > NAMED) reasons.push(`the inputs of ${held.length - NAMED} more devices have no vote`);
  if (v.state === 'VERIFY')
    reasons.push(
      `the machine asked for this package: it is verified after ${policy.leaveAfter} calm outcomes in a row, ${memory.calm} so far`,
    );
  if (v.state === 'COOLDOWN') {
    const until = new Date(coolUntil(v.requests, policy.cooldownDays)).toISOString();
    reasons.push(`the last retrain (${last?.requestId}) was ${last?.outcome}: no other before ${until}`);
  }
  if (v.action?.kind === 'ask-labels') reasons.push(`${v.action.count} more outcomes are needed to decide`);
  if (v.state === 'CONFIRMED' && v.spent)
    reasons.push(
      `${policy.maxRetrains} retrains within ${policy.budgetDays} days is all the machine may ask for: a person must decide`,
    );
  return reasons;
};
