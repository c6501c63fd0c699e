import { parseAs } from '#core/contracts/errors.ts';
import { RawObjectRecord } from '#core/contracts/lake.ts';
import {
  type QuarantineEntry,
  type QuarantineList,
  QuarantineRecord,
  QuarantineRequest,
  type QuarantineShown,
  type ReplayAnswer,
  type ReplayResult,
} from '#core/contracts/quarantine.ts';
import { countClasses, originalOf, type QuarantineSource, siteOf, sourceOf } from '#core/lake/quarantine.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { compareText } from '#core/text/compare.ts';
import { readMessageRules } from '../shared/check-messages.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import type { ListedObject, ObjectFiles } from '../shared/object-files.ts';
import { readAside } from './read-object.ts';
import { type Deps as ReplayDeps, replayObject } from './replay.ts';

export interface Deps extends ReplayDeps {
  readonly files: Pick<ObjectFiles, 'entries'>;
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly ledger: Ledger;
  readonly stage: string;
  /** Milliseconds that one call may work before it ends between two objects. */
  readonly workMs: number;
}

const ALL = 'quarantine/';
const OBJECTS_AT_ONCE = 16;
const LISTED_FOR_REPLAY = 1000;

/** Newest first. */
const listed = async (deps: Deps, limit: number, site: string | null) => {
  const all = (await deps.files.entries(ALL))
    .filter(({ key }) => sourceOf(key) !== null && (site === null || siteOf(key) === site))
    .sort((a, b) => compareText(b.at, a.at) || compareText(a.key, b.key));
  return { objects: all.slice(0, limit), more: all.length > limit };
};

const recordOf = async (deps: Deps, key: string): Promise<QuarantineRecord | null> => {
  const stored = await deps.registry.latest('quarantine', key);
  return stored === null ? null : parseAs(QuarantineRecord, stored.body, `quarantine record ${key}`);
};

const sourceIn = (key: string): QuarantineSource => {
  const from = sourceOf(key);
  if (from === null) throw new Error(`${key} is no quarantine object: see the list for those there are`);
  return from;
};

const shown = async (deps: Deps, { key, at }: ListedObject): Promise<QuarantineShown> => {
  const from = sourceIn(key);
  const lines = readAside(from, key, await deps.lake.get(key));
  const entry: QuarantineEntry = {
    key,
    site: siteOf(key),
    from,
    at,
    records: lines.length,
    classes: countClasses(lines.map((l) => l.class)),
    replay: (await recordOf(deps, key))?.replay ?? null,
  };
  return { entry, lines: lines.map(({ line: _, ...l }) => l) };
};

const one = async (deps: Deps, key: string): Promise<ListedObject> => {
  const found = (await deps.files.entries(key)).find((o) => o.key === key);
  if (found === undefined) throw new Error(`there is no ${key}: see the list for those there are`);
  return found;
};

const registeredVersion = async (deps: Deps, key: string): Promise<string | null> => {
  const original = originalOf(key).key;
  const body = (await deps.registry.latest('raw-object', original))?.body;
  return body === undefined ? null : parseAs(RawObjectRecord, body, `raw object ${original}`).versionId;
};

type Replay = Extract<QuarantineRequest, { do: 'replay' }>;

/** Keys to replay. Only a choice by reason has to look into the objects. */
const chosen = async (deps: Deps, { what }: Replay): Promise<{ keys: readonly string[]; more: boolean }> => {
  if ('keys' in what)
    return { keys: (await inParallel(what.keys, (k) => one(deps, k))).map((o) => o.key), more: false };
  const { objects, more } = await listed(deps, LISTED_FOR_REPLAY, null);
  const isOpen = await inParallel(
    objects,
    async (object) => {
      if ((await recordOf(deps, object.key))?.replay?.bad === 0) return false;
      return !('class' in what) || ((await shown(deps, object)).entry.classes[what.class] ?? 0) > 0;
    },
    OBJECTS_AT_ONCE,
  );
  return { keys: objects.filter((_, i) => isOpen[i]).map((o) => o.key), more };
};

const replay = async (deps: Deps, request: Replay): Promise<ReplayAnswer> => {
  const rules = await readMessageRules(deps.registry, deps.stage);
  const { keys, more } = await chosen(deps, request);
  const began = Date.parse(deps.now());
  const replays: ReplayAnswer['replays'] = [];
  for (const key of keys) {
    if (Date.parse(deps.now()) - began > deps.workMs) return { replays, more: true };
    const from = sourceIn(key);
    const { stillBad, records, ...outcome } = await replayObject(deps, {
      key,
      from,
      rules,
      dryRun: request.dryRun,
      registered: await registeredVersion(deps, key),
    });
    const result: ReplayResult = { ...outcome, at: deps.now(), by: request.by };
    replays.push({ key, result, stillBad: [...stillBad] });
    if (request.dryRun) continue;
    const site = siteOf(key);
    const known = await recordOf(deps, key);
    const body: QuarantineRecord = {
      schema: 'quarantine/1',
      key,
      ...(from === 'messages' ? {} : { versionId: originalOf(key).versionId }),
      site,
      records: known?.records ?? Math.max(1, records),
      reason: known?.reason ?? 'put aside by its own way in',
      replay: result,
    };
    await deps.ledger.write([
      {
        schema: 'ledger-command/1',
        commandId: commandIdOf('replay', key, result.at),
        site,
        actor: request.by,
        reason: request.reason,
        record: { class: 'quarantine', id: key, body: { ...body } },
      },
    ]);
  }
  return { replays, more };
};

/**
 * What was put aside: lists it with its reasons, shows one object, gives it to the check again. Nothing in quarantine is
 * changed or removed; what came of a replay is a version of its record.
 * @throws {ContractError} when it is asked something else. @throws {Error} when there is no such object.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<QuarantineList | QuarantineShown | ReplayAnswer> => {
    const request = parseAs(QuarantineRequest, event, 'request to quarantine');
    switch (request.do) {
      case 'list': {
        const { objects, more } = await listed(deps, request.limit, request.site);
        const entries = await inParallel(objects, async (o) => (await shown(deps, o)).entry, OBJECTS_AT_ONCE);
        return { entries, more };
      }
      case 'show': {
        const { entry, lines } = await shown(deps, await one(deps, request.key));
        return { entry, lines: lines.slice(0, request.limit) };
      }
      case 'replay':
        return replay(deps, request);
    }
  };
