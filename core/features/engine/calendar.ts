import { cosineOf } from '../kernel/cosine-table.ts';
import type { Params, WindowInput } from './feature.ts';

const HOUR = 3_600_000;
/** 1970 began on a Thursday; weeks begin on Monday. */
const MONDAY = 3 * 24 * HOUR;

/** What is wrong with the parameter `hours`, the length of a period. */
export const periodProblem = ({ hours }: Params): string | undefined =>
  Number.isInteger(hours) && (hours as number) >= 1
    ? undefined
    : `"hours" must be a whole number from 1 (8 a shift, 24 a day, 168 a week), it is ${hours}`;

/**
 * Cosine of where the newest frame lies in a period that begins at midnight, a week's on Monday.
 * @param quarter of the period to turn back: 1 gives the sine.
 */
export const calendarPosition = ({ times, params }: WindowInput, quarter: 0 | 1): number => {
  const period = (params['hours'] as number) * HOUR;
  const offset = typeof params['offsetMinutes'] === 'number' ? params['offsetMinutes'] * 60_000 : 0;
  const since = (times.at(-1) as number) + MONDAY + offset - (quarter * period) / 4;
  return cosineOf(((since % period) + period) % period, period);
};
