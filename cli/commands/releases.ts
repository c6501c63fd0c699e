import { parseAs } from '#core/contracts/errors.ts';
import { ReleaseRecord } from '#core/contracts/release.ts';
import { CliError, EXIT } from '../errors.ts';
import { ago, answer, type Output, paint, say, short, table } from '../output.ts';
import type { World } from '../world.ts';

const COLOUR = { released: 'green', reverted: 'red', refused: 'red', failed: 'red' } as const;

const readReleases = async (world: World, limit: number): Promise<readonly ReleaseRecord[]> =>
  (await world.registry.list('release', { limit: 500 }))
    .map((r) => parseAs(ReleaseRecord, r.body, `registry record release ${r.id}`))
    .filter((r) => r.site === world.site)
    // Records stand by when they changed last: the one that is rolling out would be among the older ones.
    .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
    .slice(0, limit);

/** Rings by verdict, those in a row that have the same one together: `0,1 continue 2 revert`. */
const ringsText = (waves: ReleaseRecord['waves']): string => {
  const groups: { rings: number[]; verdict: string }[] = [];
  for (const { ring, verdict } of waves) {
    const last = groups.at(-1);
    if (last?.verdict === verdict) last.rings.push(ring);
    else groups.push({ rings: [ring], verdict });
  }
  return groups.map((g) => `${[...new Set(g.rings)].join(',')} ${g.verdict}`).join(' ') || '–';
};

/** Releases, newest first, with how far each came through the rings. */
export const releases = async (world: World, out: Output, options: { readonly limit: number }): Promise<void> => {
  const rows = await readReleases(world, options.limit);
  const now = world.now();
  answer(out, rows, () =>
    table(
      out,
      rows,
      [
        { title: 'RELEASE', of: (r) => r.releaseId },
        { title: 'PACKAGE', of: (r) => short(r.packageDigest) },
        { title: 'VERSION', of: (r) => r.componentVersion },
        { title: 'STATUS', of: (r) => r.status, style: (r) => COLOUR[r.status as keyof typeof COLOUR] ?? 'yellow' },
        { title: 'RINGS', of: (r) => ringsText(r.waves) },
        { title: 'STARTED', of: (r) => ago(r.startedAt, now) },
      ],
      'No release yet: a candidate of "millwright retrain --wait" is released by itself.',
    ),
  );
};

/** Answers a release that waits for a person: the four-eyes rule forbids to approve one's own. */
export const approve = async (
  world: World,
  out: Output,
  options: { readonly releaseId: string; readonly approved: boolean; readonly reason: string },
): Promise<void> => {
  const stored = await world.registry.latest('release', options.releaseId);
  if (stored === null)
    throw new CliError(`there is no release "${options.releaseId}"`, 'see "millwright releases"', EXIT.notFound);
  const release = parseAs(ReleaseRecord, stored.body, `registry record release ${options.releaseId}`);
  if (release.status !== 'waiting-approval')
    throw new CliError(
      `release ${options.releaseId} does not wait for anyone: it is ${release.status}`,
      'nothing is to be done',
    );
  const by = await world.actor();
  if (release.requestedBy === by)
    throw new CliError(
      `you asked for release ${options.releaseId} yourself`,
      'someone else must approve it: two people for one release',
    );
  const token = (await world.fleet()).find((i) => i['releaseId'] === options.releaseId)?.['taskToken'];
  if (typeof token !== 'string')
    throw new CliError(
      `release ${options.releaseId} has no open question`,
      'it may have timed out: see "millwright releases", or retrain',
      EXIT.notFound,
    );
  await world.answerTask(token, { approved: options.approved, by, reason: options.reason });
  answer(out, { releaseId: options.releaseId, approved: options.approved, by }, () =>
    say(
      out,
      `${paint(out, options.approved ? 'green' : 'red', options.approved ? '✓ approved' : '✗ refused')} ${options.releaseId} as ${by}`,
    ),
  );
};
