import type { LineAction, LineState } from '../../contracts/judgement.ts';
import { driftRules } from '../policy.ts';
import type { ChangeEvidence, LineEvidence } from './evidence.ts';
import type { FeatureEvidence, FeatureVotes } from './feature-votes.ts';
import type { OutcomeMemory } from './outcome-memory.ts';
import { coolUntil, type Request } from './retrain-requests.ts';
import type { RetrainWorth } from './retrain-worth.ts';

export interface Verdict {
  readonly state: LineState;
  readonly now: string;
  readonly requests: readonly Request[];
  readonly action: LineAction | null;
  /** In shadow mode, instead of an action. */
  readonly wouldHave: LineAction | null;
  readonly votes: FeatureVotes;
  /** Null without outcomes. */
  readonly meanLoss: number | null;
  /** e-value at which a loss is confirmed. */
  readonly threshold: number;
  /** Of a confirmed loss, where the policy states what things cost. */
  readonly worth: RetrainWorth | null;
  /** The change of a machine that asks for the retrain. */
  readonly change: ChangeEvidence | null;
  readonly spent: boolean;
}

/** Names that a sentence says; of a whole fleet the first few. */
const NAMED = 5;
const few = (names: readonly string[]): string =>
  names.slice(0, NAMED).join(', ') + (names.length > NAMED ? ` and ${names.length - NAMED} more` : '');
const dayOf = (instant: string): string => instant.slice(0, 10);
const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 2, useGrouping: false });

/** The machines that a device saw, else the device. */
const placesOf = (all: readonly FeatureEvidence[]): string =>
  few([...new Set(all.flatMap((e) => (e.assets === undefined || e.assets.length === 0 ? [e.device] : e.assets)))]);
const sinceOf = (all: readonly FeatureEvidence[]): string => {
  const first = all.flatMap((e) => e.since ?? []).sort()[0];
  return first === undefined ? '' : ` since ${dayOf(first)}`;
};

const inputReasons = (memory: OutcomeMemory, { policy }: LineEvidence, { votes }: Verdict): string[] => {
  const reasons: string[] = [];
  const { changeovers, newContexts, recurring, ageing, held } = votes;
  const outcomesHold = memory.calm >= policy.leaveAfter ? '; outcomes hold, so nothing follows from it' : '';
  if (votes.watch)
    reasons.push(
      `inputs are not as in training on ${few(votes.voting)}: ${votes.features.slice(0, 3).join(', ')}${outcomesHold}`,
    );
  if (changeovers.length > 0)
    reasons.push(
      `many inputs of ${placesOf(changeovers)} stepped at once${sinceOf(changeovers)}: was it changed over? ` +
        `Say so with "millwright events add" (changeover or tool-change); unanswered for ${driftRules(policy.drift).changeoverDays} days it is drift`,
    );
  const [oldest] = ageing;
  if (oldest?.ageing !== undefined) {
    const { feature, perDay, daysToLimit } = oldest.ageing;
    const when =
      daysToLimit === null
        ? 'when it reaches its limit is not sure yet'
        : daysToLimit === 0
          ? 'its limit is reached'
          : `its limit is ${Math.floor(daysToLimit)} days away: plan a retrain before`;
    reasons.push(
      `${feature} of ${placesOf([oldest])} ages${sinceOf([oldest])} by ${number(perDay)} standard deviations a day; ${when}`,
    );
  }
  if (newContexts.length > 0)
    reasons.push(
      `${placesOf(newContexts)} ran in a context that training does not know (${few([...new Set(newContexts.map((e) => e.context ?? 'unnamed'))])}): not judged as drift`,
    );
  if (recurring.length > 0)
    reasons.push(`inputs of ${placesOf(recurring)} are as in a regime that was accepted before`);
  for (const { device, quality } of held.slice(0, NAMED))
    reasons.push(`the inputs of ${device} have no vote: ${quality}`);
  if (held.length > NAMED) reasons.push(`the inputs of ${held.length - NAMED} more devices have no vote`);
  return reasons;
};

const costReason = ({ saves, costs, isWorthIt }: RetrainWorth): string =>
  `a retrain costs ${number(costs)} and would save ${number(saves)}` +
  (isWorthIt ? '' : ': not worth it, so none is asked for');

const WOULD_HAVE: Readonly<Record<LineAction['kind'], string>> = {
  retrain: 'asked for a retrain',
  'ask-labels': 'asked for outcomes',
  'ask-operator': 'asked the operator',
  plan: 'planned a retrain',
};

/** The judgement in sentences: what is known, what follows, and why nothing does. */
export const reasonsOf = (memory: OutcomeMemory, evidence: LineEvidence, v: Verdict): string[] => {
  const { policy, outcomes, expectedLoss } = evidence;
  const reasons: string[] = [];
  const last = v.requests.at(-1);
  if (v.meanLoss === null) reasons.push('no outcome is known yet of what this package decided');
  else
    reasons.push(
      `${outcomes.length} outcomes with a mean loss of ${v.meanLoss.toFixed(3)}, expected at most ${expectedLoss.toFixed(3)}: ` +
        `e-value ${memory.eValue.value.toPrecision(3)}, confirmed at ${number(v.threshold)}`,
    );
  if (memory.confirmed) {
    const { worstAsset } = memory.eValue;
    const since = memory.excess.since(worstAsset);
    reasons.push(
      `the loss is confirmed larger${since === null ? '' : `, since about ${dayOf(since)}`}; most of all on ${worstAsset}`,
    );
  }
  if (v.worth !== null) reasons.push(costReason(v.worth));
  if (v.change !== null)
    reasons.push(
      `${v.change.kind} of ${v.change.asset} on ${dayOf(v.change.validTime)}, for which a retrain is declared: enough outcomes are known since`,
    );
  reasons.push(...inputReasons(memory, evidence, v));
  if (v.state === 'VERIFY')
    reasons.push(
      `the machine asked for this package: it is verified after ${policy.leaveAfter} calm outcomes in a row, ${memory.calm} so far`,
    );
  if (v.state === 'COOLDOWN') {
    const until = new Date(coolUntil(v.requests, policy.cooldownDays)).toISOString();
    reasons.push(`the last retrain (${last?.requestId}) was ${last?.outcome}: no other before ${until}`);
  }
  if (v.action?.kind === 'ask-labels') reasons.push(`${v.action.count} more outcomes are needed to decide`);
  if (v.wouldHave !== null) reasons.push(`in shadow: it would have ${WOULD_HAVE[v.wouldHave.kind]}`);
  if (v.state === 'CONFIRMED' && v.spent)
    reasons.push(
      `${policy.maxRetrains} retrains within ${policy.budgetDays} days is all the machine may ask for: a person must decide`,
    );
  return reasons;
};
