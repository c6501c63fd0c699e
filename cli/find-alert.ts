import { statusAt } from '#core/alerts/change.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { AlertRecord } from '#core/contracts/judgement.ts';
import type { StoredRecord } from '#core/ports/registry.ts';
import { CliError, EXIT } from './errors.ts';
import type { World } from './world.ts';

/** Alerts that a command looks through: far more than a site has open at one time. */
const MOST = 2000;

export interface FoundAlert {
  readonly alert: AlertRecord;
  readonly version: number;
  /** When this version was written. */
  readonly at: string;
}

const toAlert = (record: StoredRecord): FoundAlert => ({
  alert: parseAs(AlertRecord, record.body, `registry record alert ${record.id}`),
  version: record.version,
  at: record.at,
});

/** Alerts of the world's site, the newest first. */
export const readAlerts = async (world: World): Promise<readonly FoundAlert[]> =>
  (await world.registry.list('alert', { limit: MOST }))
    .filter((r) => r.id.startsWith(`${world.site}/`))
    .map(toAlert)
    .sort((a, b) => b.alert.raisedAt.localeCompare(a.alert.raisedAt));

/** The alert of a whole id, fresh: an index may be a moment behind. */
export const readAlert = async (world: World, alertId: string): Promise<FoundAlert | null> => {
  const record = await world.registry.latest('alert', alertId);
  return record === null ? null : toAlert(record);
};

/** As short as it may be typed: without the site. */
export const shortId = ({ asset, run }: AlertRecord): string => `${asset}/${run}`;

/**
 * The alert that an id means: whole, without its site, or the beginning or end of that, as long as it fits one alert
 * only, or one only that is not closed.
 * @throws {CliError} when none or more than one fits.
 */
export const findAlert = async (world: World, id: string): Promise<FoundAlert> => {
  const whole = (await readAlert(world, id)) ?? (await readAlert(world, `${world.site}/${id}`));
  if (whole !== null) return whole;
  const now = world.now();
  const fitting = (await readAlerts(world)).filter(
    ({ alert }) => id !== '' && (shortId(alert).startsWith(id) || shortId(alert).endsWith(id)),
  );
  const waiting = fitting.filter(({ alert }) => statusAt(alert, now) !== 'closed');
  const [found] = waiting.length === 1 ? waiting : fitting;
  if (found === undefined)
    throw new CliError(
      `site ${world.site} has no alert "${id}"`,
      'see "millwright alerts --all" for those there are',
      EXIT.notFound,
    );
  if (fitting.length > 1 && waiting.length !== 1) {
    const names = fitting.map(({ alert }) => shortId(alert));
    throw new CliError(
      `"${id}" fits ${fitting.length} alerts`,
      `give more of it: ${names.slice(0, 6).join(', ')}${names.length > 6 ? ', …' : ''}`,
      EXIT.usage,
    );
  }
  return (await readAlert(world, found.alert.alertId)) ?? found;
};
