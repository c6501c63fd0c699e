import type { Instant } from '../contracts/primitives.ts';

/** Days after which a device that says nothing is taken to be gone, and no longer counted as silent. */
export const GONE_AFTER_DAYS = 30;

/** Whole minutes from one instant to another; 0 when the other is not later. */
export const minutesBetween = (then: Instant, now: Instant): number =>
  Math.max(0, Math.floor((Date.parse(now) - Date.parse(then)) / 60_000));

export interface Heard {
  readonly device: string;
  /** When its report came, by the cloud's clock. */
  readonly receivedAt: Instant;
}

/**
 * How many devices there are and how many of them are silent: heard of, but not for some minutes. Reports of a device
 * for several model lines count as one device. Those that were not heard of for 30 days are neither.
 */
export const silentDevices = (
  heard: readonly Heard[],
  now: Instant,
  silentMinutes: number,
): { readonly devices: number; readonly silent: number } => {
  const newest = new Map<string, Instant>();
  for (const { device, receivedAt } of heard)
    if (receivedAt > (newest.get(device) ?? '')) newest.set(device, receivedAt);
  const ages = [...newest.values()]
    .map((at) => minutesBetween(at, now))
    .filter((minutes) => minutes < GONE_AFTER_DAYS * 24 * 60);
  return { devices: ages.length, silent: ages.filter((minutes) => minutes >= silentMinutes).length };
};

/** Running executions of one workflow against the time that one may take. */
export const stuckExecutions = (
  startedAt: readonly Instant[],
  now: Instant,
  allowedMinutes: number,
): { readonly stuck: number; readonly oldestMinutes: number } => {
  const ages = startedAt.map((at) => minutesBetween(at, now));
  return { stuck: ages.filter((age) => age > allowedMinutes).length, oldestMinutes: Math.max(0, ...ages) };
};
