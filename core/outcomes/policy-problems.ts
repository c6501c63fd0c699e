import type { OutcomePolicy } from '../contracts/label-request.ts';
import { outcomeRules, truncationBias } from './selection.ts';

/**
 * What contradicts itself in what a use case says of its outcomes: fields that nothing would read, and weights that take from
 * every outcome and give to none.
 * @returns in sentences, each with what to do; empty where there is nothing.
 */
export const outcomePolicyProblems = (policy: OutcomePolicy | undefined): readonly string[] => {
  if (policy === undefined) return [];
  const { quota, leastPropensity, inspected } = policy;
  if (inspected !== 'rejects')
    return Object.entries({ quota, leastPropensity }).flatMap(([name, value]) =>
      value === undefined
        ? []
        : [
            `judging.outcomes.${name} is ${value}, but every unit is inspected and nothing is drawn by lot: leave it out, or say inspected: 'rejects'`,
          ],
    );
  const rules = outcomeRules(policy);
  return rules.leastPropensity < rules.quota
    ? [
        `judging.outcomes.leastPropensity is ${rules.leastPropensity}, but no unit has a smaller chance to be inspected than the quota, ${rules.quota}: ` +
          'every outcome would weigh less, for nothing; leave it out, or raise it to the quota at least',
      ]
    : [];
};

/** What an outcome policy gives up by bounded weights, for who publishes it; null where it gives up nothing. */
export const declaredBias = (policy: OutcomePolicy | undefined): string | null => {
  const { inspected, quota, leastPropensity } = outcomeRules(policy);
  const bias = inspected === 'rejects' ? truncationBias([quota], leastPropensity) : 0;
  return bias === 0
    ? null
    : `judging.outcomes.leastPropensity ${leastPropensity} is above the quota, ${quota}: units that are not rejected count for less than there are, ` +
        `the mean loss may be off by ${bias.toFixed(2)}, and there may be more false alarms than declared; without it nothing is off, and changes are found later`;
};
