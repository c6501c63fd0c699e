import type { DriftPolicy } from '../../contracts/drift.ts';

export type Season = NonNullable<DriftPolicy['season']>;

const HOUR = 3_600_000;
const WEEK = 7 * 24;
/** 1970-01-01 was a Thursday; weeks are counted from Monday. */
const TO_MONDAY = 3 * 24;

/**
 * The cell of the season that an instant lies in: hours of the day, of each weekday if it is told apart. A bank of
 * references, one for each cell, sees a shift that the daily cycle would hide, and does not call the cycle drift.
 * @param from, to of the window; the cell of its middle.
 */
export const seasonCell = (from: string, to: string, season: Season): string => {
  const middle = (Date.parse(from) + Date.parse(to)) / 2 + (season.offsetMinutes ?? 0) * 60_000;
  const hour = (((Math.floor(middle / HOUR) + TO_MONDAY) % WEEK) + WEEK) % WEEK;
  const day = season.weekdays === true ? `d${Math.floor(hour / 24) + 1}-` : '';
  const first = Math.floor((hour % 24) / season.hours) * season.hours;
  return `${day}h${String(first).padStart(2, '0')}`;
};

/** How a cell of a context is named: as a context of the baseline, if training knew it. */
export const seasonContext = (context: string, cell: string): string => `${context}-${cell}`;
