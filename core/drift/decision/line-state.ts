import type { LineAction, LineState } from '../../contracts/judgement.ts';
import type { JudgingPolicy } from '../../contracts/use-case.ts';
import type { FeatureVotes } from './feature-votes.ts';
import { ageingSays, changeoverQuestion } from './input-reasons.ts';
import type { OutcomeMemory } from './outcome-memory.ts';
import { isWaiting, type Request } from './retrain-requests.ts';

/** @param isResting no retrain may be asked for yet, since the last one was in vain. */
export const stateByOutcomes = (memory: OutcomeMemory, requests: readonly Request[], isResting: boolean): LineState => {
  if (isWaiting(requests)) return 'RETRAIN_REQUESTED';
  if (memory.confirmed) return isResting ? 'COOLDOWN' : 'CONFIRMED';
  if (memory.verifying) return 'VERIFY';
  return memory.watching ? 'WATCH' : 'HEALTHY';
};

/** What the line is by its inputs, where outcomes say nothing against it: what a person can answer comes first. */
export const stateByInputs = (votes: FeatureVotes): LineState => {
  if (votes.changeovers.length > 0) return 'SUSPECTED_CHANGEOVER';
  if (votes.watch) return 'WATCH';
  if (votes.ageing.length > 0) return 'AGEING';
  if (votes.newContexts.length > 0) return 'NEW_CONTEXT';
  if (votes.recurring.length > 0) return 'RECURRING';
  return votes.held.length > 0 ? 'DATA_QUALITY_HOLD' : 'HEALTHY';
};

/**
 * The one thing that follows where no retrain is asked for.
 * @param missing outcomes until a retrain may be asked for.
 */
export const actionIn = (
  state: LineState,
  votes: FeatureVotes,
  policy: JudgingPolicy,
  missing: number,
): LineAction | null => {
  const { changeovers, ageing } = votes;
  if ((state === 'SUSPECTED_CHANGEOVER' || state === 'VERIFY') && changeovers.length > 0)
    return {
      kind: 'ask-operator',
      requestId: null,
      count: changeovers.length,
      says: changeoverQuestion(votes, policy),
    };
  if ((state === 'WATCH' || state === 'CONFIRMED') && missing > 0)
    return { kind: 'ask-labels', requestId: null, count: missing };
  const days = ageing[0]?.ageing?.daysToLimit ?? null;
  const says = ageingSays(votes);
  return state === 'AGEING' && days !== null && says !== null
    ? { kind: 'plan', requestId: null, count: Math.floor(days), says }
    : null;
};
