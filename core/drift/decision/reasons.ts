import type { LineJudgement, LineState } from '../../contracts/judgement.ts';
import type { LineEvidence } from './evidence.ts';
import type { FeatureVotes } from './feature-votes.ts';
import type { OutcomeMemory } from './outcome-memory.ts';
import { coolUntil, type Request } from './retrain-requests.ts';

export interface Verdict {
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

/** The judgement in sentences: what is known, what follows, and why nothing does. */
export const reasonsOf = (
  memory: OutcomeMemory,
  { policy, outcomes, expectedLoss }: LineEvidence,
  v: Verdict,
): string[] => {
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
