import { CompactAnswer, type CompactedDay, CompactRequest } from '#core/contracts/compaction.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { LANDED_TABLES } from '#core/contracts/lake-tables.ts';
import { CliError, EXIT } from '../errors.ts';
import { answer, type Output, say, table } from '../output.ts';
import type { World } from '../world.ts';

const SAYS: Readonly<Record<CompactedDay['state'], string>> = {
  open: 'not over: it may still grow',
  single: 'one file: nothing to gain',
  planned: 'to be put together',
  written: 'written; queries take it from the next call after the grace',
  committed: 'queries take it; small files go in the next call after the grace',
  done: 'done',
};

/** Puts the small files of days that are over together, as far as that may go by now. */
export const compact = async (
  world: World,
  out: Output,
  o: { table: string | undefined; date: string | undefined; dryRun: boolean },
): Promise<void> => {
  const request = CompactRequest.safeParse({
    site: world.site,
    dryRun: o.dryRun,
    ...(o.table === undefined ? {} : { table: o.table }),
    ...(o.date === undefined ? {} : { date: o.date }),
  });
  if (!request.success)
    throw new CliError(
      `cannot compact ${o.table ?? 'all tables'}${o.date === undefined ? '' : ` of ${o.date}`}`,
      `name one of ${LANDED_TABLES.join(', ')}, or none for all`,
      EXIT.usage,
    );
  const days = new Map<string, CompactedDay>();
  for (let more = true; more; ) {
    const got = parseAs(CompactAnswer, await world.invoke(world.names.compact.arn, request.data), 'answer of compact');
    for (const day of got.days) days.set(`${day.table} ${day.date}`, day);
    more = got.more && !o.dryRun;
  }
  answer(out, { days: [...days.values()] }, () => {
    table(
      out,
      [...days.values()],
      [
        { title: 'table', of: (d) => d.table },
        { title: 'day', of: (d) => d.date },
        { title: 'small files', of: (d) => String(d.files), align: 'right' },
        { title: 'KiB', of: (d) => String(Math.ceil(d.bytes / 1024)), align: 'right' },
        { title: 'become', of: (d) => String(d.parts), align: 'right' },
        { title: 'state', of: (d) => SAYS[d.state] },
      ],
      'No day that is over has small files.',
    );
    if (o.dryRun && days.size > 0) say(out, 'Nothing was changed.');
  });
};
