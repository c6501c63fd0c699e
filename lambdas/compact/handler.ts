import { type CompactAnswer, type CompactedDay, CompactRequest } from '#core/contracts/compaction.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { hotDayOf, type LandedDay, lakeKeys } from '#core/contracts/lake.ts';
import { LANDED_TABLES, type LandedTableName } from '#core/contracts/lake-tables.ts';
import { compareText } from '#core/text/compare.ts';
import { compactDay, type Deps as DayDeps } from './compact-day.ts';

export interface Deps extends Omit<DayDeps, 'isTimeOver'> {
  /** Milliseconds that one call may work before it ends between two files. */
  readonly workMs: number;
}

const daysWithSmallFiles = async (
  deps: Pick<Deps, 'files'>,
  table: LandedTableName,
  site: string | undefined,
): Promise<LandedDay[]> => {
  const days = new Map<string, LandedDay>();
  for (const { key } of await deps.files.entries(lakeKeys.tierPrefix('hot', table, site))) {
    const day = hotDayOf(key);
    if (day !== null) days.set(`${day.site} ${day.date}`, { table, ...day });
  }
  return [...days.values()].sort((a, b) => compareText(a.date, b.date));
};

/**
 * Makes few large files of the many small ones of days that are over, oldest first. Called by a schedule without input, or
 * by a person for a table, a site, a day. What takes longer than one call may, or has to wait, goes on in the next.
 * @throws {ContractError} when it is asked something else. @throws {Error} what went wrong with a day, after the others
 * or those of them that there was time for.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<CompactAnswer> => {
    // What a schedule sends is an event of its own form.
    const scheduled = (event as { readonly source?: unknown } | null)?.source === 'aws.events';
    const { table, site, date, dryRun } = parseAs(CompactRequest, scheduled ? {} : event, 'request of compaction');
    const began = Date.parse(deps.now());
    const isTimeOver = (): boolean => Date.parse(deps.now()) - began > deps.workMs;
    const days: CompactedDay[] = [];
    const failed: unknown[] = [];
    for (const each of table === undefined ? LANDED_TABLES : [table])
      for (const day of await daysWithSmallFiles(deps, each, site)) {
        if (date !== undefined && date !== day.date) continue;
        if (isTimeOver()) {
          if (failed.length > 0) throw failed[0];
          return { days, more: true };
        }
        try {
          const compacted = await compactDay({ ...deps, isTimeOver }, day, dryRun);
          if (date !== undefined || compacted.state !== 'open') days.push(compacted);
        } catch (error) {
          failed.push(error);
        }
      }
    if (failed.length > 0) throw failed[0];
    return { days, more: !dryRun && days.some((d) => d.state === 'planned') };
  };
