import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { DecisionRecord, decisionsPrefix } from '#core/contracts/decision.ts';
import { DeviceReport } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { nodeRef, type RecordClass, RecordClass as RecordClasses } from '#core/contracts/ledger.ts';
import { ModelPackageManifest } from '#core/contracts/model-package.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { framesObjectsWithin } from '#core/lake/frames-within.ts';
import type { StoredRecord } from '#core/ports/registry.ts';
import { CliError, EXIT } from './errors.ts';
import type { World } from './world.ts';

/** All model lines of the stage's site, by name. */
export const modelLines = async (world: World): Promise<readonly ModelLineRecord[]> => {
  const records = await world.registry.list('model-line');
  return records
    .map((r) => parseAs(ModelLineRecord, r.body, `registry record model-line ${r.id}`))
    .filter((l) => l.site === world.site)
    .sort((a, b) => a.modelLine.localeCompare(b.modelLine));
};

/** The model line named, or the one the local plant plays, or the only one. @throws {CliError} with the lines there are. */
export const oneModelLine = async (world: World, name: string | undefined): Promise<ModelLineRecord> => {
  const lines = await modelLines(world);
  if (lines.length === 0)
    throw new CliError(
      `site ${world.site} has no model line yet`,
      'publish a use case first: "millwright publish"',
      EXIT.notFound,
    );
  const wanted = name ?? world.plant?.modelLine ?? (lines.length === 1 ? lines[0]?.modelLine : undefined);
  const found = lines.find((l) => l.modelLine === wanted);
  if (found !== undefined) return found;
  throw new CliError(
    name === undefined ? `site ${world.site} has ${lines.length} model lines` : `there is no model line "${name}"`,
    `name one of: ${lines.map((l) => l.modelLine).join(', ')}`,
    name === undefined ? EXIT.usage : EXIT.notFound,
  );
};

const DECISION_ID = /^([a-z0-9-]+)\/([a-z0-9-]+)\/([a-z0-9-]+)\/(\d+)$/;
export const isDecisionId = (id: string): boolean => DECISION_ID.test(id);

export interface FoundDecision {
  readonly record: DecisionRecord;
  /** Object of the lake that holds it. */
  readonly key: string;
}

/**
 * The decision of an id, read from the object that its device uploaded.
 * @throws {CliError} when the object is not there (yet), or does not hold it.
 */
export const findDecision = async (world: World, id: string): Promise<FoundDecision> => {
  const [, site = '', device = '', boot = '', sequence = ''] = DECISION_ID.exec(id) ?? [];
  const number = Number(sequence);
  const prefix = `${decisionsPrefix(world.config.stage, site, device)}${boot}-`;
  const key = (await world.lake.list(prefix)).find((k) => {
    const [first, last] = k.slice(prefix.length).replace('.ndjson', '').split('-').map(Number);
    return first !== undefined && last !== undefined && first <= number && number <= last;
  });
  const bytes = key === undefined ? null : await world.lake.find(key);
  if (key === undefined || bytes === null)
    throw new CliError(
      `decision ${id} is not in the lake`,
      `check the id; a device uploads within seconds, and keeps what it could not upload: see "millwright devices"`,
      EXIT.notFound,
    );
  const line = Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .find((l) => l.includes(`"id":"${id}"`));
  if (line === undefined)
    throw new CliError(
      `object ${key} should hold decision ${id}, and does not`,
      'tell the platform team',
      EXIT.notFound,
    );
  return { record: parseAs(DecisionRecord, JSON.parse(line), `decision ${id}`), key };
};

/** The registered object that holds a decision; null when it is not registered (yet). */
export const decisionObject = (world: World, { record, key }: FoundDecision): Promise<StoredRecord | null> => {
  const [first, last] = key
    .slice(key.lastIndexOf('/') + record.boot.length + 2)
    .replace('.ndjson', '')
    .split('-')
    .map(Number);
  return world.registry.latest('decision-object', `${record.site}/${record.device}/${record.boot}/${first}-${last}`);
};

/** The raw object that holds the very frame of a decision; null while the device has not uploaded it. */
export const frameObject = async (world: World, record: DecisionRecord): Promise<string | null> => {
  const [found] = await framesObjectsWithin(world.lake, record, { first: record.index, last: record.index });
  return found?.key ?? null;
};

export interface FoundPackage {
  readonly digest: string;
  readonly manifest: ModelPackageManifest;
  readonly baseline: BaselineSpec | null;
}

/** A package by its digest, from the artifacts bucket. @throws {CliError} when it is not there. */
export const findPackage = async (world: World, modelLine: string, digest: string): Promise<FoundPackage> => {
  const prefix = artifactKeys.package(modelLine, digest);
  const bytes = await world.artifacts.find(`${prefix}manifest.json`);
  if (bytes === null)
    throw new CliError(
      `package ${digest} is not in the artifacts bucket`,
      'see "millwright models" for those there are',
      EXIT.notFound,
    );
  const manifest = parseAs(
    ModelPackageManifest,
    JSON.parse(Buffer.from(bytes).toString('utf8')),
    `manifest of ${digest}`,
  );
  const baseline = await world.artifacts.find(`${prefix}${manifest.baseline.file}`);
  return {
    digest,
    manifest,
    baseline:
      baseline === null
        ? null
        : readBaseline(JSON.parse(Buffer.from(baseline).toString('utf8')), `baseline of ${digest}`),
  };
};

/** Whether a retrain of the platform judged a package: a record of it alone says no more than that somebody wrote one. */
export const wasJudged = async (world: World, packageDigest: string): Promise<boolean> =>
  (await world.registry.edges(nodeRef('package', packageDigest), 'out')).some((e) => e.rel === 'evaluated-by');

const ID_CLASSES: readonly RecordClass[] = [
  'package',
  'retrain',
  'release',
  'training-run',
  'snapshot',
  'evaluation',
  'raw-object',
  'plant-event',
  'decision-object',
  'use-case',
  'feature-set',
  'backfill',
  'model-line',
  'alert',
];

/**
 * The record that an id means: `class:id`, a whole id, or the first digits (6 at least) of a digest.
 * @throws {CliError} when none or more than one fits.
 */
export const findRecord = async (world: World, id: string): Promise<StoredRecord> => {
  const [, named, rest] = /^([a-z-]+):(.+)$/.exec(id) ?? [];
  const recordClass = RecordClasses.safeParse(named);
  if (recordClass.success) {
    const record = await world.registry.latest(recordClass.data, rest as string);
    if (record !== null) return record;
    throw new CliError(`the registry has no ${named} "${rest}"`, 'check the id', EXIT.notFound);
  }
  const whole = (await Promise.all(ID_CLASSES.map((c) => world.registry.latest(c, id)))).filter((r) => r !== null);
  if (whole.length > 0) return whole[0] as StoredRecord;
  if (/^(sha256:)?[0-9a-f]{6,64}$/.test(id)) {
    const hex = id.replace('sha256:', '');
    const digests: readonly RecordClass[] = ['package', 'snapshot', 'evaluation', 'feature-set'];
    const lists = await Promise.all(digests.map((c) => world.registry.list(c, { limit: 2000 })));
    const found = lists.flat().filter((r) => r.id.replace('sha256:', '').startsWith(hex));
    if (found.length === 1) return found[0] as StoredRecord;
    if (found.length > 1)
      throw new CliError(
        `${id} fits ${found.length} records`,
        `give more digits: ${found.map((f) => f.id).join(', ')}`,
        EXIT.usage,
      );
  }
  throw new CliError(
    `nothing is known by "${id}"`,
    'give a decision id (site/device/boot/number), a digest or its first digits, an id from "models" or "releases", or class:id',
    EXIT.notFound,
  );
};

/** The newest report of each device, from the fleet table. Items that are not reports are left out. */
export const deviceReports = async (world: World): Promise<readonly DeviceReport[]> => {
  const newest = new Map<string, DeviceReport>();
  for (const item of await world.fleet()) {
    const parsed = DeviceReport.safeParse(item['report']);
    if (!parsed.success || parsed.data.site !== world.site) continue;
    const known = newest.get(parsed.data.device);
    if (known === undefined || known.at < parsed.data.at) newest.set(parsed.data.device, parsed.data);
  }
  return [...newest.values()].sort((a, b) => a.device.localeCompare(b.device));
};
