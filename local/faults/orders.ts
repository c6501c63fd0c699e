import type { LocalFaults, MessageFault, ThrottledService } from '#core/contracts/local-plant.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

/** An order that cannot be carried out; says why and what to do. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError';
  readonly advice: string;
  /** Whether the order itself is wrong, or what it is about is not there. */
  readonly kind: 'usage' | 'absent';
  constructor(message: string, advice: string, kind: 'usage' | 'absent' = 'absent') {
    super(message);
    this.advice = advice;
    this.kind = kind;
  }
}

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Seconds of a duration like `30s`, `2m` or `1h`; a bare number is seconds. @throws {ChaosError} for anything else. */
export const parseDuration = (text: string): number => {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)([smh])?$/.exec(text) ?? [];
  if (number === undefined)
    throw new ChaosError(`"${text}" is no duration`, 'write a number and its unit, for example 30s, 2m or 1h');
  return Number(number) * (UNIT_S[unit] as number);
};

/** A share between 0 and 1. @throws {ChaosError} for anything else. */
export const parseShare = (text: string): number => {
  const share = Number(text);
  if (text.trim() === '' || !(share >= 0 && share <= 1))
    throw new ChaosError(`"${text}" is no share`, 'write a number from 0 to 1, for example 0.3 for three of ten');
  return share;
};

const NONE: LocalFaults = { schema: 'local-faults/1', seed: 1, messages: null, throttles: [] };

/** When a fault that begins now ends by itself. @param forSeconds null: not by itself. */
export const untilOf = (now: string, forSeconds: number | null): string | null =>
  forSeconds === null ? null : new Date(Date.parse(now) + forSeconds * 1000).toISOString();

/** The faults in force with other faults of messages. */
export const withMessages = (faults: LocalFaults | null, seed: number, messages: MessageFault): LocalFaults => ({
  ...(faults ?? NONE),
  seed,
  messages,
});

/** The faults in force with another throttle of one service. */
export const withThrottle = (
  faults: LocalFaults | null,
  seed: number,
  throttle: { readonly service: ThrottledService; readonly share: number; readonly until: string | null },
): LocalFaults => {
  const before = faults ?? NONE;
  return {
    ...before,
    seed,
    throttles: [...before.throttles.filter((t) => t.service !== throttle.service), throttle],
  };
};

/**
 * One of several, the same for the same seed.
 * @throws {RangeError} when there is none.
 */
export const chosenBy = <T>(seed: number, items: readonly T[]): T => {
  const item = items[Math.floor(seededRandom(seed)() * items.length)];
  if (item === undefined) throw new RangeError('there is nothing to choose from');
  return item;
};
