import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { ReleaseRecord, type ReleaseRequest } from '#core/contracts/release.ts';
import type { ModelLineRecord } from '#core/contracts/retrain.ts';
import { CliError, EXIT } from '../errors.ts';
import { findPackage, oneModelLine, wasJudged } from '../find.ts';
import { answer, type Output, paint, say, short } from '../output.ts';
import type { World } from '../world.ts';

/** Rings from "1,2". @throws {CliError} when it is anything else. */
export const parseRings = (text: string): readonly number[] => {
  const rings = text.split(',').map((part) => part.trim());
  if (!rings.every((r) => /^\d+$/.test(r)))
    throw new CliError(`--rings is "${text}"`, 'give ring numbers like --rings 1,2', EXIT.usage);
  return [...new Set(rings.map(Number))].sort((a, b) => a - b);
};

/**
 * Digest of a package of a line in the artifacts bucket.
 * @param id digest, or its first digits, 6 at least.
 * @throws {CliError} when none or more than one fits.
 */
const packageOf = async (world: World, modelLine: string, id: string): Promise<string> => {
  const hex = id.replace('sha256:', '');
  if (!/^[0-9a-f]{6,64}$/.test(hex))
    throw new CliError(`"${id}" is no package`, 'give a digest or its first digits, at least 6', EXIT.usage);
  const prefix = `packages/${modelLine}/`;
  const found = new Set(
    (await world.artifacts.list(`${prefix}${hex}`)).map((key) => `sha256:${key.slice(prefix.length).split('/')[0]}`),
  );
  const [digest] = found;
  if (digest === undefined || found.size > 1)
    throw new CliError(
      found.size > 1 ? `${id} fits ${found.size} packages` : `${modelLine} has no package ${id}`,
      found.size > 1 ? `give more digits: ${[...found].join(', ')}` : 'see "millwright models" for those there are',
      found.size > 1 ? EXIT.usage : EXIT.notFound,
    );
  return digest;
};

const ask = async (
  world: World,
  out: Output,
  line: ModelLineRecord,
  packageDigest: string,
  more: Pick<ReleaseRequest, 'reason' | 'revert' | 'rings' | 'forced'>,
): Promise<void> => {
  const { manifest } = await findPackage(world, line.modelLine, packageDigest);
  const request: ReleaseRequest = {
    schema: 'release-request/1',
    releaseId: world.newId(more.revert ? 'revert' : 'rel'),
    modelLine: line.modelLine,
    site: world.site,
    packageDigest,
    packagePrefix: artifactKeys.package(line.modelLine, packageDigest),
    releaseNumber: manifest.releaseNumber,
    requestedBy: await world.actor(),
    ...more,
  };
  await world.announce('ReleaseCandidate', request);
  answer(out, request, () => {
    say(
      out,
      `Asked for release ${paint(out, 'bold', request.releaseId)} of package ${short(packageDigest)}, number ${manifest.releaseNumber}${more.rings === undefined ? '' : `, to rings ${more.rings.join(', ')}`}.`,
    );
    say(out, `Follow it with "millwright explain ${request.releaseId}".`);
  });
};

const neverJudged = (digest: string, { modelLine }: ModelLineRecord): CliError =>
  new CliError(
    `package ${digest} was never judged: no retrain of ${modelLine} evaluated it`,
    'retrain; or answer for it yourself with "millwright releases start --force", and the record will name you',
  );

/**
 * Asks for the release of a package that is in the artifacts bucket.
 * @throws {CliError} when no retrain judged it and `force` is not given.
 */
export const startRelease = async (
  world: World,
  out: Output,
  options: {
    readonly modelLine?: string;
    readonly package: string;
    readonly rings?: readonly number[];
    readonly reason: string;
    readonly force: boolean;
  },
): Promise<void> => {
  const line = await oneModelLine(world, options.modelLine);
  const has = (world.config.sites.find((s) => s.id === world.site)?.rings ?? []).map((r) => r.ring);
  const missing = options.rings?.find((r) => !has.includes(r));
  if (missing !== undefined)
    throw new CliError(
      `site ${world.site} has no ring ${missing}`,
      `give some of: ${[...new Set(has)].join(', ')}`,
      EXIT.usage,
    );
  const digest = await packageOf(world, line.modelLine, options.package);
  if (!options.force && !(await wasJudged(world, digest))) throw neverJudged(digest, line);
  await ask(world, out, line, digest, {
    reason: options.reason,
    revert: false,
    ...(options.rings === undefined ? {} : { rings: [...options.rings] }),
    ...(options.force ? { forced: true } : {}),
  });
};

/** Releases of a line that made their package its champion, the newest first. */
const crownings = async (world: World, line: ModelLineRecord): Promise<readonly ReleaseRecord[]> =>
  (await world.registry.list('release', { limit: 500 }))
    .map((r) => parseAs(ReleaseRecord, r.body, `registry record release ${r.id}`))
    .filter(
      (r) => r.site === world.site && r.modelLine === line.modelLine && r.status === 'released' && r.crowned !== false,
    )
    .sort((a, b) => ((a.finishedAt ?? '') < (b.finishedAt ?? '') ? 1 : -1));

/** The package that was champion before the one that is. @throws {CliError} when there was none. */
const previousOf = async (world: World, line: ModelLineRecord): Promise<string> => {
  const champion = line.champion;
  const released = await crownings(world, line);
  const before = released
    .slice(released.findIndex((r) => r.releaseId === champion?.releaseId) + 1)
    .find((r) => r.packageDigest !== champion?.packageDigest);
  if (champion === null || before === undefined)
    throw new CliError(
      `${line.modelLine} had no other champion before`,
      'name a package with --to; see "millwright models"',
      EXIT.notFound,
    );
  return before.packageDigest;
};

/** A package that is named: one that was judged, or served the line before. @throws {CliError} when it is neither. */
const namedOf = async (world: World, line: ModelLineRecord, id: string): Promise<string> => {
  const digest = await packageOf(world, line.modelLine, id);
  if (digest === line.champion?.packageDigest || (await wasJudged(world, digest))) return digest;
  if ((await crownings(world, line)).some((r) => r.packageDigest === digest)) return digest;
  throw neverJudged(digest, line);
};

/** Asks to go back to a package that served before, ring by ring; nothing is held against the champion then. */
export const revertRelease = async (
  world: World,
  out: Output,
  options: { readonly modelLine: string; readonly to: string; readonly reason: string },
): Promise<void> => {
  const line = await oneModelLine(world, options.modelLine);
  const digest = options.to === 'previous' ? await previousOf(world, line) : await namedOf(world, line, options.to);
  if (line.champion?.packageDigest === digest)
    throw new CliError(`package ${digest} is the champion already`, 'nothing is to be done');
  await ask(world, out, line, digest, { reason: options.reason, revert: true });
};
