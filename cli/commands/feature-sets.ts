import { parseAs } from '#core/contracts/errors.ts';
import { FeatureSetRecord } from '#core/contracts/feature-store.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { ReleaseRecord } from '#core/contracts/release.ts';
import { diffFeatureSets, type FeatureChange } from '#core/feature-sets/diff.ts';
import { type FeatureSetUsers, usersOf } from '#core/feature-sets/users.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { CliError, EXIT } from '../errors.ts';
import { deviceReports, modelLines } from '../find.ts';
import { answer, facts, many, type Output, paint, say, short, table } from '../output.ts';
import type { World } from '../world.ts';

export interface FoundFeatureSet {
  readonly digest: string;
  readonly version: number;
  readonly record: FeatureSetRecord;
}

const all = async (world: World): Promise<readonly FoundFeatureSet[]> =>
  (await world.registry.list('feature-set')).map((r) => ({
    digest: r.id,
    version: r.version,
    record: parseAs(FeatureSetRecord, r.body, `registry record feature-set ${r.id}`),
  }));

/** What asks the same of the world for every set: releases, reports of devices, model lines. */
const usersIn = async (world: World): Promise<(digest: string) => Promise<FeatureSetUsers>> => {
  const [lines, reports, stored] = await Promise.all([
    modelLines(world),
    deviceReports(world),
    world.registry.list('release', { limit: 500 }),
  ]);
  const releases = stored.map((r) => parseAs(ReleaseRecord, r.body, `registry record release ${r.id}`));
  return async (digest) =>
    usersOf({
      digest,
      lines,
      reports,
      releases,
      edges: await world.registry.edges(nodeRef('feature-set', digest), 'in'),
    });
};

export const featureSetUsers = async (world: World, digest: string): Promise<FeatureSetUsers> =>
  (await usersIn(world))(digest);

/**
 * The feature set of an id, a digest or its first digits. Of several with the same id, the only one that is not retired.
 * @throws {CliError} when none or more than one fits.
 */
export const findFeatureSet = async (world: World, name: string): Promise<FoundFeatureSet> => {
  const known = await all(world);
  const hex = name.replace('sha256:', '');
  const byDigest = /^[0-9a-f]{6,64}$/.test(hex) ? known.filter((s) => s.digest.slice(7).startsWith(hex)) : [];
  const byId = known.filter((s) => s.record.featureSet.id === name);
  const alive = byId.filter((s) => s.record.retired === null);
  const found = byDigest.length > 0 ? byDigest : alive.length > 0 ? alive : byId;
  if (found.length === 1) return found[0] as FoundFeatureSet;
  if (found.length > 1)
    throw new CliError(
      `"${name}" fits ${found.length} feature sets`,
      `name one by its digest: ${found.map((s) => short(s.digest)).join(', ')}`,
      EXIT.usage,
    );
  throw new CliError(
    `there is no feature set "${name}"`,
    known.length === 0
      ? 'publish a use case first: "millwright publish"'
      : `name one of: ${known.map((s) => `${s.record.featureSet.id} (${short(s.digest)})`).join(', ')}`,
    EXIT.notFound,
  );
};

const stateOf = ({ record }: FoundFeatureSet, users: FeatureSetUsers): 'retired' | 'published' | 'not published' =>
  record.retired !== null ? 'retired' : users.published.length > 0 ? 'published' : 'not published';
const some = (count: number, what: string): readonly string[] => (count === 0 ? [] : [many(count, what)]);
const usersText = (u: FeatureSetUsers): string =>
  [
    ...some(u.published.length, 'model line'),
    ...some(u.champions.length, 'champion'),
    ...some(u.devices.length, 'device'),
  ].join(', ') || '–';

/** Every feature set that was published, the newest first. */
export const featureSets = async (world: World, out: Output): Promise<void> => {
  const [sets, users] = await Promise.all([all(world), usersIn(world)]);
  const rows = await Promise.all(
    sets.map(async (set) => {
      const used = await users(set.digest);
      return { ...set, users: used, state: stateOf(set, used) };
    }),
  );
  type Row = (typeof rows)[number];
  const documents = rows.map(({ digest, record: { featureSet }, users: used, state }) => ({
    id: featureSet.id,
    digest,
    owner: featureSet.owner,
    description: featureSet.description,
    features: featureSet.features.length,
    state,
    users: used,
  }));
  answer(out, documents, () =>
    table<Row>(
      out,
      rows,
      [
        {
          title: 'FEATURE SET',
          of: (r) => r.record.featureSet.id,
          style: (r) => (r.state === 'published' ? 'bold' : 'dim'),
        },
        { title: 'DIGEST', of: (r) => short(r.digest) },
        { title: 'OWNER', of: (r) => r.record.featureSet.owner },
        { title: 'FEATURES', of: (r) => String(r.record.featureSet.features.length), align: 'right' },
        { title: 'STATE', of: (r) => r.state, style: (r) => (r.state === 'retired' ? 'yellow' : null) },
        { title: 'USED BY', of: (r) => usersText(r.users) },
      ],
      'No feature set is published yet: see "millwright publish --help".',
    ),
  );
};

/** One feature set: what its features are, in their order, and who uses it. */
export const featureSet = async (world: World, out: Output, name: string): Promise<void> => {
  const found = await findFeatureSet(world, name);
  const { digest, record } = found;
  const users = await featureSetUsers(world, digest);
  const features = record.featureSet.features.map((f) => ({
    ...f,
    version: f.version ?? 1,
    unit: record.units[f.name] ?? '1',
    says: FEATURES[f.feature]?.says ?? 'not known to this version of the command line',
  }));
  const document = {
    digest,
    ...record.featureSet,
    features,
    signals: record.signals,
    state: stateOf(found, users),
    retired: record.retired,
    users,
  };
  const paramsOf = (params: object): string =>
    Object.entries(params)
      .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
      .join(' ');
  answer(out, document, () => {
    say(out, `${paint(out, 'bold', record.featureSet.id)}  ${digest}`);
    facts(out, [
      ['description', record.featureSet.description],
      ['owner', record.featureSet.owner],
      ['state', document.state],
      ...(record.retired === null
        ? []
        : [['retired', `${record.retired.at} by ${record.retired.by}: ${record.retired.reason}`] as const]),
      ['model lines', ...(users.published.length === 0 ? ['–'] : users.published)],
      [
        'champions',
        ...(users.champions.length === 0
          ? ['–']
          : users.champions.map((c) => `${c.modelLine} ${short(c.packageDigest)}`)),
      ],
      ['devices', users.devices.join(', ') || '–'],
      ['made with it', `${users.snapshots.length} snapshots, ${users.packages.length} packages`],
    ]);
    say(out);
    table(
      out,
      features,
      [
        { title: 'NAME', of: (f) => f.name },
        { title: 'FEATURE', of: (f) => `${f.feature} v${f.version}` },
        { title: 'OF', of: (f) => f.signal },
        { title: 'WINDOW', of: (f) => String(f.window), align: 'right' },
        { title: 'UNIT', of: (f) => f.unit },
        { title: 'PARAMS', of: (f) => paramsOf(f.params) },
        { title: 'SAYS', of: (f) => f.says },
      ],
      'It has no features.',
    );
  });
};

const changeText = (change: FeatureChange): string => {
  switch (change.kind) {
    case 'added':
    case 'removed':
      return `${change.definition.feature} of ${change.definition.signal}, window ${change.definition.window}`;
    case 'moved':
      return `from place ${change.from + 1} to ${change.to + 1}`;
    case 'changed':
      return `${change.field}: ${change.from} → ${change.to}`;
  }
};

/** What changes from one feature set to another. */
export const featureSetDiff = async (world: World, out: Output, from: string, to: string): Promise<void> => {
  const [before, after] = await Promise.all([findFeatureSet(world, from), findFeatureSet(world, to)]);
  const changes = diffFeatureSets(before.record.featureSet, after.record.featureSet);
  answer(out, { from: before.digest, to: after.digest, changes }, () =>
    table<FeatureChange>(
      out,
      changes,
      [
        {
          title: 'CHANGE',
          of: (c) => c.kind,
          style: (c) => (c.kind === 'added' ? 'green' : c.kind === 'removed' ? 'red' : 'yellow'),
        },
        { title: 'FEATURE', of: (c) => c.name },
        { title: 'WHAT', of: changeText },
      ],
      before.digest === after.digest
        ? 'They are the same.'
        : 'Their features are the same; id, owner or description differ.',
    ),
  );
};
