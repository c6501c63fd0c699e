import type { Quality } from '../contracts/frame.ts';
import type { QualityCheck, QualityRules } from '../contracts/quality.ts';

/** One value as the checks see it. Times are milliseconds since 1970, UTC. */
export interface CheckedValue {
  /** As it was sent. */
  readonly raw: number | string | boolean | null;
  /** The number in it, true being 1; null for text, for what is not finite, and for no value. */
  readonly value: number | null;
  readonly unit: string;
  /** As it was sent; of a BAD value only that it came counts. */
  readonly quality: Quality;
  readonly sourceTime: number;
  readonly receivedTime: number;
  /** Newest source time before it that is believed; null for the first value. */
  readonly newest: number | null;
  /** It came after the block of time that it belongs to was closed. */
  readonly missed: boolean;
}

/** A value that fails a check. */
export interface Breach {
  /** The best that the value can still be. */
  readonly quality: Quality;
  /** Reason, below 120 characters. */
  readonly says: string;
  /** How far off, in the unit of the check; null where that says nothing. */
  readonly deviation: number | null;
  /** Where the stretch begins and how many values it has, when that is not with this value. */
  readonly from?: number;
  readonly count?: number;
  /** It is over with this value: no stretch that could go on. */
  readonly isWhole?: true;
}

export interface CheckSettings {
  readonly rules: QualityRules;
  /** UCUM code of the signal. */
  readonly unit: string;
}

/**
 * One check of one signal, value by value in the order of their coming. Its state is a plain object of bounded size that
 * JSON keeps whole, so that a check goes on where it was after a restart. No clock: time is what the values say.
 */
export interface Check<State extends object> {
  readonly name: QualityCheck;
  readonly says: string;
  /** What a failing value becomes. */
  readonly effect: string;
  /** What can be relied on of the signal in a stretch of it; of a gap nothing, for there is no value. */
  readonly signalIs: Quality;
  /** False: values that lie before the newest and are declared historical are not for it. */
  readonly isForHistory: boolean;
  readonly applies: (rules: QualityRules) => boolean;
  readonly start: () => State;
  /** Takes a value into the state. Undefined: the check has nothing to say about it. Null: it passes. */
  readonly take: (state: State, value: CheckedValue, settings: CheckSettings) => Breach | null | undefined;
  /** Time passed at the gateway without a value. @param at milliseconds since 1970. */
  readonly flush?: (state: State, at: number, settings: CheckSettings) => Breach | null;
}

/** A number in a reason: six digits say enough. */
export const short = (n: number): string => String(Number(n.toPrecision(6)));
