import type { OutcomeDelays } from '../contracts/judgement.ts';
import { newestInstant, type ServedUnit } from './coverage.ts';

/** How long the outcome of a unit took to become known, or how long it has been waited for. */
export interface Delay {
  /** days */
  readonly days: number;
  readonly known: boolean;
}

/** Share of outcomes that are known at an age, with its 95 % interval. */
export interface ShareKnown {
  readonly share: number;
  readonly lower: number;
  readonly upper: number;
}

/** The shares from one age on, up to the next. */
export interface DelayStep extends ShareKnown {
  /** days */
  readonly days: number;
}

const Z95 = 1.959963984540054;
const NONE: ShareKnown = { share: 0, lower: 0, upper: 0 };

/**
 * Distribution of delays where some are not over yet: the product-limit estimate (Kaplan & Meier 1958), which neither
 * leaves those out nor takes them for known. Its interval is Greenwood's on the scale log(−log S), which stays in [0, 1]
 * (Kalbfleisch & Prentice 1980). Where nobody is waited for any longer that scale ends: the lower limit stays where it was.
 * @returns a step for each age at which an outcome became known, ascending; empty when none did.
 * @throws {RangeError} naming an age that is negative or no number.
 */
export const delayDistribution = (delays: readonly Delay[]): readonly DelayStep[] => {
  const odd = delays.find(({ days }) => !(days >= 0 && days < Number.POSITIVE_INFINITY));
  if (odd !== undefined) throw new RangeError(`delay of an outcome: expected days of 0 or more, got ${odd.days}`);
  const sorted = [...delays].sort((a, b) => a.days - b.days);
  const steps: DelayStep[] = [];
  let survival = 1;
  let greenwood = 0;
  for (let i = 0; i < sorted.length; ) {
    const { days } = sorted[i] as Delay;
    const atRisk = sorted.length - i;
    let known = 0;
    for (; i < sorted.length && sorted[i]?.days === days; i++) if (sorted[i]?.known) known++;
    if (known === 0) continue;
    survival *= 1 - known / atRisk;
    if (known === atRisk) {
      steps.push({ days, share: 1, lower: steps.at(-1)?.lower ?? 0, upper: 1 });
      break;
    }
    greenwood += known / (atRisk * (atRisk - known));
    const spread = (Z95 * Math.sqrt(greenwood)) / Math.abs(Math.log(survival));
    steps.push({
      days,
      share: 1 - survival,
      lower: 1 - survival ** Math.exp(-spread),
      upper: 1 - survival ** Math.exp(spread),
    });
  }
  return steps;
};

/** Share of outcomes that are known at an age. @param days age. */
export const shareKnownAt = (steps: readonly DelayStep[], days: number): ShareKnown => {
  const step = steps.findLast((s) => s.days <= days);
  return step === undefined ? NONE : { share: step.share, lower: step.lower, upper: step.upper };
};

/** Age at which a share of outcomes is known, days; null when that many never became known yet. */
export const ageOfShare = (steps: readonly DelayStep[], share: number): number | null =>
  steps.find((s) => s.share >= share)?.days ?? null;

const DAY_MS = 86_400_000;
/** Outcomes are mature at the age at which so many of them are known. */
const MATURE = 0.9;

/**
 * How long outcomes take, by units that were decided about; null when there is none. A delay begins with the last decision
 * on the unit; the present is the newest instant in the evidence, not a clock.
 * @param known units with an outcome, by when it was known. @param maturityDays age that the policy calls mature.
 */
export const delaysOf = (
  served: readonly ServedUnit[],
  known: readonly { readonly unit: string; readonly knownTime: string }[],
  maturityDays: number,
): OutcomeDelays | null => {
  const now = newestInstant(served, known);
  if (now === null || served.length === 0) return null;
  const knownTime = new Map(known.map((k) => [k.unit, k.knownTime]));
  const delays = served.map(({ unit, lastAt }): Delay => {
    const at = knownTime.get(unit);
    return { days: Math.max(0, Date.parse(at ?? now) - Date.parse(lastAt)) / DAY_MS, known: at !== undefined };
  });
  const steps = delayDistribution(delays);
  const waiting = delays.filter((d) => !d.known).length;
  const oldEnough = delays.some((d) => d.days >= maturityDays);
  return {
    known: delays.length - waiting,
    waiting,
    medianDays: ageOfShare(steps, 0.5),
    matureDays: ageOfShare(steps, MATURE),
    matured: oldEnough ? shareKnownAt(steps, maturityDays) : null,
  };
};
