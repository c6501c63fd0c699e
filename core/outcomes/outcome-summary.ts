import type { ValidationLoss } from '../contracts/evaluation.ts';
import type { CalibrationDrift, LineJudgement } from '../contracts/judgement.ts';
import { calibrationOf } from './calibration.ts';
import { type Counted, countOutcomes, latenessNote, type OutcomeFacts } from './counted.ts';
import { knownUnits } from './coverage.ts';
import { delaysOf } from './delay.ts';

export interface OutcomeSummary {
  readonly fields: Pick<LineJudgement, 'delays' | 'calibration'>;
  /** In sentences, for whoever reads the judgement. */
  readonly notes: readonly string[];
}

const share = (x: number): string => x.toFixed(3);

const calibrationNote = ({ says, meanError, allowed, outcomes }: CalibrationDrift): readonly string[] =>
  says === null
    ? []
    : [
        `answers are ${says}: ${outcomes} units that failed say a mean error of ${share(meanError ?? 0)} of the cap, ` +
          `${share(allowed[0])} to ${share(allowed[1])} is as in validation`,
      ];

/**
 * What outcomes say of a champion beside their losses: how long they take to become known, whether its answers moved to one
 * side, which outcomes do not count, and how far the mean of those that do may be off for it.
 * @param loss of its validation: what signed errors are held against; where these were not measured, the loss bounds them.
 * @param counted what counts of the facts, where that is known already.
 */
export const outcomeSummary = (
  facts: OutcomeFacts,
  loss: ValidationLoss,
  { outcomes, notes }: Counted = countOutcomes(facts),
): OutcomeSummary => {
  const { policy, served } = facts;
  const delays = delaysOf(served, knownUnits(facts.outcomes), policy.maturityDays);
  const [low, high] = loss.error ?? [-loss.upper, loss.upper];
  const allowed = [low - policy.lossTolerance, high + policy.lossTolerance] as const;
  const calibration = calibrationOf(outcomes, allowed, policy.alarmAt);
  const late = policy.outcomes?.onlyMature === true ? latenessNote(delays?.matured ?? null, policy.maturityDays) : [];
  return {
    fields: { ...(delays === null ? {} : { delays }), ...(calibration === null ? {} : { calibration }) },
    notes: [...notes, ...late, ...(calibration === null ? [] : calibrationNote(calibration))],
  };
};
