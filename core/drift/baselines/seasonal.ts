import type { BaselineFeature, BaselineSpec, SeasonBaseline } from '../../contracts/baseline.ts';
import type { Season } from '../../contracts/season.ts';
import { oncePer } from '../../policy/once-per.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * 24;
/** 1970-01-01 was a Thursday; weeks are counted from Monday. */
const TO_MONDAY = 3 * 24;

/**
 * The cell of the season that a window lies in: hours of the day, of each weekday if it is told apart. A bank of
 * references, one for each cell, sees a shift that the daily cycle would hide, and does not call the cycle drift. The
 * trainer names them by the same rule (training/millwright_training/season.py).
 * @param from, to instants of the first and last row; the cell of the middle between them.
 * @returns null for a window of more than a day: it has every hour in it.
 */
export const seasonCell = (from: string, to: string, season: Season): string | null => {
  const [first, last] = [Date.parse(from), Date.parse(to)];
  if (Math.abs(last - first) > DAY) return null;
  const middle = (first + last) / 2 + (season.offsetMinutes ?? 0) * 60_000;
  const hour = (((Math.floor(middle / HOUR) + TO_MONDAY) % WEEK) + WEEK) % WEEK;
  const day = season.weekdays === true ? `d${Math.floor(hour / 24) + 1}-` : '';
  const begins = Math.floor((hour % 24) / season.hours) * season.hours;
  return `${day}h${String(begins).padStart(2, '0')}`;
};

/** Under which name a cell of a context is remembered. */
export const seasonContext = (context: string, cell: string): string => `${context}-${cell}`;

/** Whether the cells of one are those of the other. */
export const isSameSeason = (a: Season, b: Season): boolean =>
  a.hours === b.hours &&
  (a.weekdays ?? false) === (b.weekdays ?? false) &&
  (a.offsetMinutes ?? 0) === (b.offsetMinutes ?? 0);

const hoursOf = ({ hours, weekdays, offsetMinutes = 0 }: Season): string =>
  `cells of ${hours} h${weekdays === true ? ' of each weekday' : ''}, ${offsetMinutes} minutes ahead of UTC`;

const shares = ({ leftOut }: SeasonBaseline): string => {
  const windows = leftOut.reduce((sum, cell) => sum + cell.windows, 0);
  return leftOut.length === 0 ? 'none' : `${windows} windows in ${leftOut.length} cells`;
};

/** Why the season of a policy has no effect on windows of a package; null where it has, or there is none. */
export const unusedSeason = ({ season }: BaselineSpec, asked: Season | undefined): string | null => {
  if (asked === undefined) return null;
  const until = 'until the next training windows are held against their context';
  if (season === undefined) return `the package was trained without a season: ${until}`;
  if (!isSameSeason(asked, season.of))
    return `the package was trained for ${hoursOf(season.of)}, not ${hoursOf(asked)}: ${until}`;
  return season.cells.length === 0
    ? `too few training windows lay in cells with enough of them (${shares(season)}): windows are held against their context; more days of training, longer cells, or the same for all weekdays make it up`
    : null;
};

/** A baseline whose reference windows are told apart by `groups`: for each window the context, by its place in `contexts`. */
export interface GroupedBaseline extends BaselineSpec {
  readonly groups?: readonly number[];
}

/**
 * The baseline as cells of the season see it: they are its contexts, its windows are those that lie in one, in their order,
 * and differ from their cell as they do. What windows of all the day differ by is no part of it.
 * @returns null where training was told of no season, or too few windows lay in cells that had enough.
 */
export const seasonView = oncePer((baseline: BaselineSpec): GroupedBaseline | null => {
  const { season } = baseline;
  if (season === undefined || season.cells.length === 0) return null;
  const isIn = (_: unknown, window: number): boolean => season.windows[window] != null;
  const groups = season.windows.filter((cell) => cell !== null);
  return {
    ...baseline,
    groups,
    windows: { ...baseline.windows, count: groups.length },
    features: baseline.features.map(
      ({ seasonStatistic, windowStatistic: _, windowMeans, ...feature }): BaselineFeature => ({
        ...feature,
        ...(seasonStatistic === undefined ? {} : { windowStatistic: seasonStatistic }),
        ...(windowMeans === undefined ? {} : { windowMeans: windowMeans.filter(isIn) }),
      }),
    ),
    contexts: season.cells.map(({ context, cell, rows, counts }) => ({
      context: seasonContext(context, cell),
      rows,
      counts,
    })),
  };
});
