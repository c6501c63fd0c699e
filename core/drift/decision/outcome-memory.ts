import type { JudgingPolicy } from '../../contracts/use-case.ts';
import type { OutcomeEvidence } from './evidence.ts';
import { LineEValue } from './line-e-value.ts';

/** What the outcomes so far say: entered at the threshold, left after `leaveAfter` outcomes in a row below its root. */
export interface OutcomeMemory {
  readonly eValue: LineEValue;
  /** Outcomes in a row below the root of the threshold. */
  readonly calm: number;
  readonly watching: boolean;
  readonly confirmed: boolean;
  /** The package was asked for by the machine and has not yet shown that it is better. */
  readonly verifying: boolean;
}

/** @param expectedLoss of the evidence; held within what a mean of losses can be. */
export const freshMemory = (expectedLoss: number, verifying: boolean): OutcomeMemory => ({
  eValue: LineEValue.start(Math.min(0.999, Math.max(0.001, expectedLoss))),
  calm: 0,
  watching: false,
  confirmed: false,
  verifying,
});

/** One more outcome. @throws {RangeError} when its loss is outside [0, 1]. */
export const weigh = (before: OutcomeMemory, outcome: OutcomeEvidence, policy: JudgingPolicy): OutcomeMemory => {
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
  };
};
