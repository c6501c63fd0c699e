import type { LineAction, LineState } from '../../contracts/judgement.ts';
import type { ChangeEvidence, LineEvidence } from './evidence.ts';
import type { FeatureVotes } from './feature-votes.ts';
import { inputReasons } from './input-reasons.ts';
import type { OutcomeMemory } from './outcome-memory.ts';
import { coolUntil, type Request } from './retrain-requests.ts';
import type { RetrainWorth } from './retrain-worth.ts';
import { dayOf, figure } from './wording.ts';

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

const costReason = ({ saves, costs, isWorthIt }: RetrainWorth): string =>
  `a retrain costs ${figure(costs)} and would save ${figure(saves)}` +
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
        `e-value ${memory.eValue.value.toPrecision(3)}, confirmed at ${figure(v.threshold)}`,
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
  reasons.push(...inputReasons(v.votes, policy, memory.calm >= policy.leaveAfter));
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
