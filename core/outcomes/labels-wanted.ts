import type { LineJudgement } from '../contracts/judgement.ts';
import type { LabelRequest } from '../contracts/label-request.ts';
import { knownUnits } from './coverage.ts';
import { nextLabelRequest } from './label-request.ts';
import { labelsToDecide } from './labels-to-decide.ts';
import type { LineFacts } from './line-facts.ts';
import { outcomeRules } from './selection.ts';

/** Of the expected loss: an excess that must not be missed, where the use case tolerates none. */
const LEAST_EXCESS = 0.25;

/**
 * How many outcomes are wanted of a line, and why: as many as the judgement misses; in the grey zone, where the line is
 * watched and nothing follows, as many as decide. Null: none; a line that is judged in the shadow asks for nothing.
 */
const countWanted = (
  { policy, outcomes }: LineFacts,
  { state, action, expectedLoss, threshold, eValue }: LineJudgement,
): { readonly count: number; readonly reason: string } | null => {
  if (action?.kind === 'ask-labels')
    return { count: action.count, reason: `${action.count} more outcomes are needed before anything may follow` };
  if (state !== 'WATCH' || action !== null) return null;
  const count = labelsToDecide({
    mean: Math.min(0.99, Math.max(0.01, expectedLoss)),
    excess: Math.max(policy.lossTolerance, LEAST_EXCESS * expectedLoss, 0.01),
    alarmAt: threshold,
    eValue,
    losses: outcomes.flatMap(({ loss }) => (loss === null ? [] : [loss])),
  });
  return { count, reason: `the line is neither healthy nor confirmed worse: about ${count} more outcomes decide` };
};

/** The request for labels that follows from a judgement; null when nothing is wanted, or it was asked for already. */
export const labelsWanted = (facts: LineFacts, judgement: LineJudgement): LabelRequest | null => {
  const { modelLine, site, packageDigest, policy, served, labels } = facts;
  if (facts.validationLoss === null || policy.drift?.mode === 'shadow') return null;
  const wanted = countWanted(facts, judgement);
  return nextLabelRequest({
    modelLine,
    site,
    packageDigest,
    policy,
    served,
    known: knownUnits(facts.outcomes),
    requests: labels,
    count: wanted?.count ?? null,
    reason:
      wanted?.reason ??
      `of units that are not rejected a share of ${outcomeRules(policy.outcomes).quota} is inspected all the same`,
  });
};
