import type { OutcomeEvidence } from './evidence.ts';
import { ExcessLoss } from './excess-loss.ts';
import { LineEValue } from './line-e-value.ts';

/** What the outcomes so far say: entered at the limit, left after `leaveAfter` outcomes in a row below its root. */
export interface OutcomeMemory {
  readonly eValue: LineEValue;
  readonly excess: ExcessLoss;
  /** Outcomes in a row below the root of the limit. */
  readonly calm: number;
  readonly watching: boolean;
  readonly confirmed: boolean;
  /** The package was asked for by the machine and has not yet shown that it is better. */
  readonly verifying: boolean;
}

/** @param expectedLoss of the evidence; held within what a mean of losses can be. */
export const freshMemory = (expectedLoss: number, verifying: boolean): OutcomeMemory => {
  const mean = Math.min(0.999, Math.max(0.001, expectedLoss));
  return {
    eValue: LineEValue.start(mean),
    excess: ExcessLoss.start(mean),
    calm: 0,
    watching: false,
    confirmed: false,
    verifying,
  };
};

/**
 * One more outcome.
 * @param limit e-value at which a larger loss is confirmed. @param leaveAfter calm outcomes in a row that end it.
 * @throws {RangeError} when its loss is outside [0, 1] or its weight outside (0, 1].
 */
export const weigh = (
  before: OutcomeMemory,
  outcome: OutcomeEvidence,
  limit: number,
  leaveAfter: number,
): OutcomeMemory => {
  const eValue = before.eValue.update(outcome);
  const calm = eValue.value < Math.sqrt(limit) ? before.calm + 1 : 0;
  const left = calm >= leaveAfter;
  const confirmed = eValue.value >= limit || (before.confirmed && !left);
  return {
    eValue,
    excess: before.excess.update(outcome),
    calm,
    confirmed,
    watching: confirmed || calm === 0 || (before.watching && !left),
    verifying: before.verifying && !left && !confirmed,
  };
};
