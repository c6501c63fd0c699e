import type { JoinedOutcomeRecord } from '../contracts/judgement.ts';
import type { LabelRequest } from '../contracts/label-request.ts';
import type { JudgingPolicy } from '../contracts/use-case.ts';
import type { OutcomeEvidence } from '../drift/decision/evidence.ts';
import { daysAfter } from '../policy/days-after.ts';
import { newestInstant, type ServedUnit } from './coverage.ts';
import { chanceOf, outcomeRules, propensityOf, truncationBias, weightOf } from './selection.ts';

/** An outcome as it counts, and how wrong to which side its unit was judged. */
export interface CountedOutcome extends OutcomeEvidence {
  /** Mean of value minus truth as a share of the cap; null unless it failed. */
  readonly meanError: number | null;
}

export interface Counted {
  readonly outcomes: readonly CountedOutcome[];
  /** In sentences: what does not count, and how far the rest may be off for it. */
  readonly notes: readonly string[];
}

/** What is known of the outcomes of a champion. */
export interface OutcomeFacts {
  readonly packageDigest: string;
  readonly policy: JudgingPolicy;
  readonly outcomes: readonly JoinedOutcomeRecord[];
  readonly served: readonly ServedUnit[];
  readonly labels: readonly LabelRequest[];
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;

/** What nobody saw of failures that were prevented: how large the mean loss may be, if they had failed at once. */
const preventedNote = (records: readonly JoinedOutcomeRecord[]): readonly string[] => {
  const prevented = records.filter((r) => r.lossAtMost !== undefined && r.lossAtMost !== null);
  const [least, most] = [records.map((r) => r.loss ?? 0), records.map((r) => r.lossAtMost ?? r.loss ?? 0)].map(
    meanOf,
  ) as [number, number];
  return prevented.length === 0 || most - least < 5e-4
    ? []
    : [
        `${prevented.length} of ${records.length} outcomes are failures that were prevented, of whose life only bounds are ` +
          `known: the mean loss lies between ${least.toFixed(3)} and ${most.toFixed(3)}`,
      ];
};

/**
 * The outcomes of a champion that count, each with its weight and from when on (docs/judging.md). Without a policy of
 * outcomes all count, in full, from when they were known.
 */
export const countOutcomes = ({ packageDigest, policy, outcomes: records, served, labels }: OutcomeFacts): Counted => {
  const rules = outcomeRules(policy.outcomes);
  const units = new Map(served.map((s) => [s.unit, s]));
  const judged = records.flatMap(({ loss, ...r }) =>
    loss === null || r.end === 'contradicted' ? [] : [{ ...r, loss }],
  );
  const now = newestInstant(
    served,
    judged.map((r) => ({ unit: `${r.asset}/${r.run}`, knownTime: r.knownTime })),
  );
  const outcomes: CountedOutcome[] = [];
  const counted: JoinedOutcomeRecord[] = [];
  let [unasked, young] = [0, 0];
  for (const record of judged) {
    const { asset, run, loss } = record;
    const unit = `${asset}/${run}`;
    const known = units.get(unit);
    const lastAt = known?.lastAt ?? record.validTime;
    const rejected = record.rejected === true || known?.rejected === true;
    const propensity = propensityOf({ unit, lastAt, rejected }, packageDigest, rules, labels);
    const mature = rules.onlyMature ? daysAfter(lastAt, policy.maturityDays) : record.knownTime;
    const knownTime = mature > record.knownTime ? mature : record.knownTime;
    if (propensity === null) unasked++;
    else if (now !== null && knownTime > now) young++;
    else {
      const weight = weightOf(propensity, rules.leastPropensity);
      const meanError = record.meanError ?? null;
      outcomes.push({ unit, asset, knownTime, loss, meanError, ...(weight === 1 ? {} : { weight }) });
      counted.push(record);
    }
  }
  const notes: string[] = [];
  if (unasked > 0)
    notes.push(
      `left out: ${unasked} outcomes of units that were neither rejected nor drawn by lot; who tells by himself is no fair sample`,
    );
  if (young > 0) notes.push(`${young} outcomes do not count before their units are ${policy.maturityDays} days old`);
  if (rules.inspected === 'rejects') {
    const bias = truncationBias(
      served.map((s) => (s.rejected === true ? 1 : chanceOf(s.lastAt, rules, labels))),
      rules.leastPropensity,
    );
    if (bias > 0) notes.push(`weights are bounded: the mean loss may be off by ${bias.toFixed(3)} for it at most`);
  }
  return { outcomes, notes: [...notes, ...(counted.length === 0 ? [] : preventedNote(counted))] };
};

/** How far the outcomes that are known by maturity may be from all, by how many are: nothing is known of the others. */
export const latenessNote = (
  matured: { readonly share: number; readonly lower: number } | null,
  days: number,
): string[] =>
  matured === null || matured.share === 1
    ? []
    : [
        `of units ${days} days old ${percent(matured.share)} have an outcome: the mean loss of all may differ by ` +
          `${(1 - matured.share).toFixed(3)}, surely by no more than ${(1 - matured.lower).toFixed(3)}`,
      ];
