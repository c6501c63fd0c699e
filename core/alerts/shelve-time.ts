import type { Instant } from '../contracts/primitives.ts';

const MINUTES = { m: 1, h: 60, d: 24 * 60 } as const;

/** Longest time that an alert may be put aside, in days: what is put aside for longer is forgotten. */
export const LONGEST_SHELVING_DAYS = 7;

/**
 * When a shelved alert returns.
 * @param time a whole number and its unit, like 30m, 8h or 2d.
 * @throws {RangeError} when it is none, is no time at all or is over the limit.
 */
export const shelveUntil = (time: string, now: Instant): Instant => {
  const [, count, unit] = /^(\d{1,6})([mhd])$/.exec(time) ?? [];
  const minutes = Number(count) * MINUTES[unit as keyof typeof MINUTES];
  if (!(minutes > 0) || minutes > LONGEST_SHELVING_DAYS * MINUTES.d)
    throw new RangeError(
      `"${time}" is no time to shelve an alert for; expected minutes, hours or days like 30m, 8h or 2d, ${LONGEST_SHELVING_DAYS}d at most`,
    );
  return new Date(Date.parse(now) + minutes * 60_000).toISOString();
};
