import { parseAs } from '#core/contracts/errors.ts';
import { QualityFinding } from '#core/contracts/quality.ts';
import { type KnownFinding, qualityInTime } from '#core/quality/findings.ts';
import { findings } from '#core/queries/findings.ts';
import { findingsOfSignal } from '#core/queries/findings-of-signal.ts';
import { openFindings } from '#core/queries/open-findings.ts';
import { dayOf, type LakeQuery, sqlOf } from '#core/queries/query.ts';
import { CliError, EXIT } from '../errors.ts';
import { ago, answer, figure, headline, type Output, table } from '../output.ts';
import type { World } from '../world.ts';

/** What was last said so long ago is not looked for, unless asked: each day is read. */
const DAYS = 7;
/** A stretch that goes on is spoken of again when it has doubled: that may be long ago. */
const OPEN_DAYS = 90;
const MOST_SHOWN = 200;

export interface QualityOptions {
  readonly asset?: string;
  readonly signal?: string;
  readonly open: boolean;
  /** Day, UTC. */
  readonly since?: string;
  /** UTC; both or none. */
  readonly from?: string;
  readonly to?: string;
}

const ask = async (
  world: World,
  query: LakeQuery,
  params: Readonly<Record<string, string>>,
): Promise<readonly KnownFinding[]> => {
  const { columns, rows } = await world.athena.query(sqlOf(query, { site: world.site, ...params }));
  return rows.map((row) => {
    const cell = (name: string): string | null => row[columns.indexOf(name)] ?? null;
    const worst = cell('worst');
    const finding = parseAs(
      QualityFinding,
      {
        schema: 'quality-finding/1',
        site: world.site,
        asset: cell('asset'),
        signal: cell('signal'),
        check: cell('check'),
        from: cell('from_time'),
        to: cell('to_time'),
        open: cell('open') === 'true',
        count: Number(cell('count')),
        worst: worst === null ? null : Number(worst),
        says: cell('says'),
      },
      'row of the table quality',
    );
    return { finding, foundAt: cell('found_at') ?? '', foundBy: cell('found_by') ?? '' };
  });
};

const show = (out: Output, known: readonly KnownFinding[], now: string): void =>
  table(
    out,
    known.slice(0, MOST_SHOWN),
    [
      { title: 'ASSET', of: (k) => k.finding.asset },
      { title: 'SIGNAL', of: (k) => k.finding.signal },
      { title: 'CHECK', of: (k) => k.finding.check },
      { title: 'FROM', of: (k) => k.finding.from },
      { title: 'TO', of: (k) => (k.finding.open ? 'goes on' : k.finding.to) },
      { title: 'VALUES', of: (k) => String(k.finding.count), align: 'right' },
      { title: 'WORST', of: (k) => figure(k.finding.worst), align: 'right' },
      { title: 'SAYS', of: (k) => k.finding.says },
      { title: 'SAID', of: (k) => ago(k.foundAt, now) },
    ],
    'Nothing was found.',
  );

/** Was a signal of bad quality in a time? */
const inTime = async (
  world: World,
  out: Output,
  of: { readonly asset: string; readonly signal: string; readonly from: string; readonly to: string },
): Promise<void> => {
  const first = dayOf(of.from, -OPEN_DAYS);
  const known = await ask(world, findingsOfSignal, {
    asset: of.asset,
    signal: of.signal,
    first_day: first,
    last_day: dayOf(world.now()),
  });
  const { quality, because } = qualityInTime(known, of, of);
  answer(out, { ...of, quality, because }, () => {
    headline(
      out,
      quality === 'GOOD' ? 'green' : quality === 'BAD' ? 'red' : 'yellow',
      quality,
      `${of.asset}/${of.signal}`,
    );
    show(
      out,
      known.filter((k) => because.includes(k.finding)),
      world.now(),
    );
  });
};

/**
 * What the checks of data quality found; with `from` and `to`, what could be relied on of one signal in that time.
 * @throws {CliError} when a time is asked about without asset and signal, or ends before it begins.
 */
export const quality = async (world: World, out: Output, o: QualityOptions): Promise<void> => {
  const { asset, signal, from, to } = o;
  if (
    (from === undefined) !== (to === undefined) ||
    (from !== undefined && (asset === undefined || signal === undefined))
  )
    throw new CliError(
      'a time was asked about, but not of which signal and until when',
      'give --asset, --signal, --from and --to together',
      EXIT.usage,
    );
  const now = world.now();
  if (asset !== undefined && signal !== undefined && from !== undefined && to !== undefined) {
    if (from > to)
      throw new CliError(`nothing lies between ${from} and ${to}`, 'give the earlier time as --from', EXIT.usage);
    await inTime(world, out, { asset, signal, from, to });
    return;
  }
  const first = o.since ?? dayOf(now, -(o.open ? OPEN_DAYS : DAYS));
  const all = await ask(world, o.open ? openFindings : findings, { first_day: first, last_day: dayOf(now) });
  const known = all.filter(
    ({ finding: f }) => (asset === undefined || f.asset === asset) && (signal === undefined || f.signal === signal),
  );
  answer(
    out,
    known.map((k) => ({ ...k.finding, foundAt: k.foundAt, foundBy: k.foundBy })),
    () => show(out, known, now),
  );
};
