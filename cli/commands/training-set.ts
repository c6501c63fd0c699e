import { parseAs } from '#core/contracts/errors.ts';
import { PlantEvent } from '#core/contracts/plant-event.ts';
import type { ObjectRef } from '#core/contracts/primitives.ts';
import type { EndedRun, TrainingSetManifest } from '#core/contracts/training-set.ts';
import { type LabelDefinition, UseCase } from '#core/contracts/use-case.ts';
import { writeParquet } from '#core/lake/parquet.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { endsKnownAt, type FindEnd, goesOnTo, rowsOfEndedRun } from '#core/point-in-time/ended-run.ts';
import { LabelJoin } from '#core/point-in-time/label-join.ts';
import { type Label, labelsKnownAt, parseLabels } from '#core/point-in-time/labels.ts';
import type { TrainingRow } from '#core/point-in-time/run-rows.ts';
import { MOVED_DAYS, storeObjectOf } from '#core/point-in-time/store-object.ts';
import { splitOf } from '#core/policy/split.ts';
import { dayOf } from '#core/queries/query.ts';
import { writeCsv } from '#core/text/csv.ts';
import { CliError, EXIT } from '../errors.ts';
import { folderIsThere, writeFile } from '../files/write-file.ts';
import { answer, type Output, paint, say, short } from '../output.ts';
import { sha256 } from '../sha256.ts';
import { readRuns, storeObjects, type Wanted } from '../store.ts';
import type { World } from '../world.ts';
import { findFeatureSet } from './feature-sets.ts';

const DAY = 86_400_000;

/** Where labels come from: a person's file, or how runs ended. */
export type LabelSource =
  | { readonly from: 'file'; readonly text: string; readonly name: string }
  | { readonly from: 'events'; readonly useCase: string | null };

export interface TrainingSetOrder {
  readonly featureSet: string;
  readonly labels: LabelSource;
  readonly knownAt: string;
  readonly maxAgeDays: number | null;
  readonly asset: string | null;
  /** Keep runs that a use case has sealed for its tests. */
  readonly withSealed: boolean;
  readonly out: string;
}

const readLabels = (text: string, name: string): readonly Label[] => {
  const { labels, bad } = parseLabels(text);
  const [first, ...more] = bad;
  if (first !== undefined)
    throw new CliError(
      `line ${first.line} of ${name}: ${first.reason}${more.length > 0 ? `; ${more.length} more` : ''}`,
      'mend the file: a CSV with the columns asset, time, label, and if wanted run, as_of, known_time',
      EXIT.usage,
    );
  if (labels.length === 0) throw new CliError(`${name} has no labels`, 'give at least one', EXIT.usage);
  return labels;
};

/** Newest versions of the use cases that have a feature set. */
const useCasesOf = async (world: World, digest: string): Promise<readonly UseCase[]> =>
  (await world.registry.list('use-case'))
    .map((r) => parseAs(UseCase, r.body, `registry record use-case ${r.id}`))
    .filter((u) => digestOf(u.featureSet) === digest);

/** The label that use cases of a feature set define. @throws {CliError} when there is none, or they differ. */
const labelOf = (all: readonly UseCase[], digest: string, wanted: string | null): LabelDefinition => {
  const useCases = all.filter((u) => wanted === null || u.id === wanted);
  const [label, ...others] = new Map(useCases.map((u) => [canonicalJson(u.label), u.label])).values();
  if (label === undefined)
    throw new CliError(
      `no use case${wanted === null ? '' : ` "${wanted}"`} has the feature set ${short(digest)}`,
      'publish one, or give your own labels with --labels',
      EXIT.notFound,
    );
  if (others.length > 0)
    throw new CliError(
      `use cases of the feature set ${short(digest)} define different labels`,
      `choose one with --use-case: ${[...new Set(useCases.map((u) => u.id))].join(', ')}`,
      EXIT.usage,
    );
  return label;
};

/** Every plant event, and of those that were corrected under their own id every content. */
const eventsOf = async (world: World): Promise<readonly PlantEvent[]> => {
  const events: PlantEvent[] = [];
  for (const newest of await world.registry.list('plant-event')) {
    const all = newest.version === 1 ? [newest] : await world.registry.versions('plant-event', newest.id);
    for (const { id, body } of all) events.push(parseAs(PlantEvent, body, `registry record plant-event ${id}`));
  }
  return events;
};

/** What the rows of a training set are made of, all of it resolved. */
interface Plan {
  readonly width: number;
  readonly objects: readonly Wanted[];
  readonly knownAt: string;
  readonly maxAge?: number;
  /** Is this run kept for tests? */
  readonly isSealed: (asset: string, run: string) => boolean;
  readonly labels:
    | { readonly from: 'file'; readonly known: readonly Label[]; readonly digest: string }
    | { readonly from: 'events'; readonly label: LabelDefinition; readonly find: FindEnd };
}

interface Made {
  readonly rows: readonly TrainingRow[];
  readonly objects: readonly ObjectRef[];
  readonly labels: TrainingSetManifest['labels'];
  readonly sealed: readonly string[];
}

const make = async (world: World, out: Output, plan: Plan): Promise<Made> => {
  const { labels, knownAt, maxAge } = plan;
  const join = labels.from === 'file' ? new LabelJoin(labels.known, knownAt, maxAge) : null;
  const sealed = new Set<string>();
  const leftOut = (o: { readonly asset: string; readonly run: string }): boolean => {
    if (!plan.isSealed(o.asset, o.run)) return false;
    sealed.add(`${o.asset}/${o.run}`);
    return true;
  };
  // A label of a sealed run is found by its row: without it, it would get a row of the run before.
  const objects = plan.objects.filter((o) => (join === null ? !leftOut(o) : join.wants(o.asset, o.run)));
  const rows: TrainingRow[] = [];
  const read: ObjectRef[] = [];
  const ended: EndedRun[] = [];
  let running = 0;
  let told = 0;
  for await (const { rows: run, objects: of, done, of: all } of readRuns(world, objects, plan.width)) {
    read.push(...of);
    if (labels.from === 'file') join?.take(run);
    else {
      const end = labels.find(run.asset, run.run, goesOnTo(run, Date.parse(knownAt)));
      if (end === null) running++;
      else {
        ended.push(end);
        rows.push(...rowsOfEndedRun(run, end.endedAt, labels.label, Date.parse(knownAt), maxAge));
      }
    }
    if (!out.json && all >= 20 && Math.floor((10 * done) / all) > told) {
      told = Math.floor((10 * done) / all);
      say(out, paint(out, 'dim', `  … ${done} of ${all} runs read`));
    }
  }
  if (labels.from === 'events')
    return {
      rows,
      objects: read,
      labels: { from: 'events', label: labels.label, ended, running },
      sealed: [...sealed].sort(),
    };
  const found = join?.rows() ?? [];
  const joined = found.filter((r) => !leftOut(r));
  const { known, digest } = labels;
  return {
    rows: joined,
    objects: read,
    labels: { from: 'file', digest, known: known.length, without: known.length - found.length },
    sealed: [...sealed].sort(),
  };
};

const TEXTS: readonly (readonly [name: string, of: (r: TrainingRow) => string])[] = [
  ['asset', (r) => r.asset],
  ['run', (r) => r.run],
  ['valid_time', (r) => r.validTime],
  ['known_time', (r) => r.knownTime],
  ['label_time', (r) => r.labelTime],
  ['source', (r) => r.source],
];

/** Rows as bytes: Parquet with `x` as a list, as trainers read it; CSV with a column for each feature. */
const bytesOf = (rows: readonly TrainingRow[], features: readonly string[], format: 'parquet' | 'csv'): Uint8Array =>
  format === 'parquet'
    ? writeParquet([
        ...TEXTS.map(([name, of]) => ({ name, type: 'string' as const, data: rows.map(of) })),
        { name: 'index', type: 'integer', data: rows.map((r) => r.index) },
        { name: 'label', type: 'double', data: rows.map((r) => r.label) },
        { name: 'x', type: 'list<double>', data: rows.map((r) => r.x) },
      ])
    : Buffer.from(
        writeCsv([
          [...TEXTS.map(([name]) => name), 'index', 'label', ...features],
          ...rows.map((r) => [...TEXTS.map(([, of]) => of(r)), ...[r.index, r.label, ...r.x].map(String)]),
        ]),
      );

const formatOf = (file: string): 'parquet' | 'csv' => {
  const format = /\.(parquet|csv)$/.exec(file)?.[1];
  if (format === 'parquet' || format === 'csv') return format;
  throw new CliError(
    `--out ${file} is no format that is written`,
    'name a file that ends in .parquet or .csv',
    EXIT.usage,
  );
};

/** Writes rows and manifest, and says what they are. */
const finish = (out: Output, file: string, manifest: TrainingSetManifest, bytes: Uint8Array): void => {
  writeFile(file, bytes);
  writeFile(`${file}.manifest.json`, `${JSON.stringify(manifest, null, 2)}\n`);
  answer(out, { file, manifest: `${file}.manifest.json`, rows: manifest.rows, digest: manifest.digest }, () => {
    say(out, `${paint(out, 'green', '✓')} ${manifest.rows} rows of ${manifest.features.length} features in ${file}`);
    const { labels } = manifest;
    if (labels.from === 'events')
      say(out, `  ${labels.ended.length} runs that failed, ${labels.running} of which no failure was known`);
    else say(out, `  ${labels.known} labels were known by ${manifest.knownAt}, ${labels.without} have no row`);
    if (manifest.sealed.length > 0)
      say(out, `  ${manifest.sealed.length} runs are sealed for tests, and were left out (--with-sealed keeps them)`);
    say(out, `  ${manifest.objects.length} objects read; digest ${short(manifest.digest)}; made again with`);
    say(out, `  millwright training-set --again ${file}.manifest.json --out ${file}`);
  });
};

/**
 * Joins labels with the features that were known at their time, and writes them with a manifest.
 * @throws {CliError} when the feature set, the labels or the store do not allow it.
 */
export const makeTrainingSet = async (world: World, out: Output, order: TrainingSetOrder): Promise<void> => {
  const format = formatOf(order.out);
  folderIsThere(order.out);
  const { digest: featureSetDigest, record } = await findFeatureSet(world, order.featureSet);
  const { knownAt, asset } = order;
  const source = order.labels;
  const useCases = await useCasesOf(world, featureSetDigest);
  let labels: Plan['labels'];
  let days: readonly [string, string] = ['0000-01-01', '9999-12-31'];
  if (source.from === 'file') {
    const all = readLabels(source.text, source.name);
    const known = labelsKnownAt(all, knownAt).filter((l) => asset === null || l.asset === asset);
    if (known.length === 0)
      throw new CliError(
        `none of the ${all.length} labels of ${source.name}${asset === null ? '' : ` is of ${asset} and`} was known by ${knownAt}`,
        'give a later --known-at, or labels that were known earlier (known_time; without one, their time)',
        EXIT.usage,
      );
    labels = { from: 'file', known, digest: sha256(source.text) };
    const times = known.map((l) => l.time).sort();
    const [first, last] = [times[0] as string, times.at(-1) as string];
    days = [
      order.maxAgeDays === null ? days[0] : dayOf(first, -order.maxAgeDays - MOVED_DAYS),
      dayOf(last, MOVED_DAYS),
    ];
  } else {
    const label = labelOf(useCases, featureSetDigest, source.useCase);
    const events = await eventsOf(world);
    labels = { from: 'events', label, find: endsKnownAt(events, world.site, knownAt) };
  }
  const objects = (await storeObjects(world, featureSetDigest)).filter(
    (o) => (asset === null || o.asset === asset) && o.date >= days[0] && o.date <= days[1],
  );
  if (objects.length === 0)
    throw new CliError(
      `the store has no rows of ${record.featureSet.id} ${asset === null ? '' : `of ${asset} `}at site ${world.site}${source.from === 'file' ? ` for the days of the labels (${days[0]} to ${days[1]})` : ''}`,
      'compute them with a backfill, or ask for another site, asset or time',
      EXIT.notFound,
    );
  const features = record.featureSet.features.map((f) => f.name);
  const maxAge = order.maxAgeDays === null ? {} : { maxAge: order.maxAgeDays * DAY };
  const isSealed = (of: string, run: string): boolean =>
    !order.withSealed && useCases.some((u) => splitOf(u.seal, of, run) === 'test');
  const made = await make(world, out, { width: features.length, objects, knownAt, labels, isSealed, ...maxAge });
  const bytes = bytesOf(made.rows, features, format);
  finish(
    out,
    order.out,
    {
      schema: 'training-set/1',
      featureSetDigest,
      features,
      site: world.site,
      knownAt,
      maxAgeDays: order.maxAgeDays,
      asset,
      labels: made.labels,
      sealed: [...made.sealed],
      objects: [...made.objects],
      format,
      rows: made.rows.length,
      digest: sha256(bytes),
    },
    bytes,
  );
};

/**
 * Makes a training set again from its manifest: the same versions of the same objects, the same ends of runs or file of
 * labels.
 * @param labels text of the file of labels; only when the manifest asks for one.
 * @throws {CliError} when a version is gone, the labels are others, or the rows come out otherwise.
 */
export const repeatTrainingSet = async (
  world: World,
  out: Output,
  o: { readonly manifest: TrainingSetManifest; readonly labels: string | null; readonly out: string },
): Promise<void> => {
  const { manifest } = o;
  if (formatOf(o.out) !== manifest.format)
    throw new CliError(
      `the manifest is of a ${manifest.format} file`,
      `name one that ends in .${manifest.format}`,
      EXIT.usage,
    );
  folderIsThere(o.out);
  let labels: Plan['labels'];
  if (manifest.labels.from === 'file') {
    if (o.labels === null || sha256(o.labels) !== manifest.labels.digest)
      throw new CliError(
        o.labels === null ? 'the manifest was made with a file of labels' : 'the file of labels is another one',
        `give the file with the digest ${manifest.labels.digest} as --labels`,
        EXIT.usage,
      );
    const known = labelsKnownAt(readLabels(o.labels, 'the file of labels'), manifest.knownAt);
    labels = {
      from: 'file',
      known: known.filter((l) => manifest.asset === null || l.asset === manifest.asset),
      digest: manifest.labels.digest,
    };
  } else {
    const ends = new Map(manifest.labels.ended.map((e) => [`${e.asset}/${e.run}`, e]));
    const find: FindEnd = (asset, run) => ends.get(`${asset}/${run}`) ?? null;
    labels = { from: 'events', label: manifest.labels.label, find };
  }
  const objects = manifest.objects.flatMap(({ key, versionId }): Wanted[] => {
    const object = storeObjectOf(manifest.featureSetDigest, key);
    return object === null ? [] : [{ ...object, versionId }];
  });
  const made = await make(world, out, {
    width: manifest.features.length,
    objects,
    knownAt: manifest.knownAt,
    labels,
    isSealed: (of, run) => manifest.sealed.includes(`${of}/${run}`),
    ...(manifest.maxAgeDays === null ? {} : { maxAge: manifest.maxAgeDays * DAY }),
  });
  const bytes = bytesOf(made.rows, manifest.features, manifest.format);
  const digest = sha256(bytes);
  if (digest !== manifest.digest)
    throw new CliError(
      `the rows come out otherwise: digest ${short(digest)}, in the manifest ${short(manifest.digest)}`,
      'nothing was written; was it made by another version of millwright?',
    );
  finish(out, o.out, manifest, bytes);
};
