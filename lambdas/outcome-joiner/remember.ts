import type { EventDetail } from '#core/contracts/events.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import type { KnownUnit } from '#core/outcomes/resolve.ts';
import { isNewerContent } from '#core/outcomes/standing.ts';
import { type Item, type JudgementTable, versionOf } from '../shared/judgement-table.ts';
import { untilUndisturbed } from '../shared/undisturbed.ts';

/** A unit as the table keeps it. */
export interface UnitItem extends Item, KnownUnit {
  /** Objects of decisions about it. */
  readonly objects: number;
  /** Some decision called it failing. */
  readonly rejected?: boolean;
  /** What its outcomes were joined from last, and which of that the ledger and the judge have; absent: never joined. */
  readonly joined?: string;
  readonly settled?: string;
  /** Packages that have an outcome of this unit. */
  readonly outcomes?: readonly { readonly modelLine: string; readonly packageDigest: string }[];
}

interface DecidingItem extends Item {
  readonly site: string;
  readonly device: string;
  readonly boot: string;
  readonly first: number;
  readonly last: number;
  /** Newest source time of its decisions. */
  readonly at: string;
}

interface ToldItem extends Item {
  readonly event: PlantEvent;
  /** Machines that it is or was about, or whose events it corrects. */
  readonly assets: readonly string[];
}

const min = <T extends string | number>(a: T, b: T): T => (a < b ? a : b);
const max = <T extends string | number>(a: T, b: T): T => (a > b ? a : b);

/**
 * Keeps the newest content of an event with every machine it concerns: its own, those that earlier versions of it named,
 * and that of the event it corrects, whichever comes first.
 * @returns the machines whose units must be looked at again.
 */
export const rememberEvent = async (
  table: JudgementTable,
  event: PlantEvent,
  seen: Set<string> = new Set(),
): Promise<readonly string[]> => {
  const { site, eventId, corrects } = event;
  if (seen.has(eventId)) return [];
  seen.add(eventId);
  const own = judgementKeys.told(site, eventId);
  // Before anything else, so that of a correction and what it corrects the one that comes second sees the other.
  if (corrects !== undefined) await table.put({ ...judgementKeys.correction(site, corrects, eventId), eventId });
  const ofCorrected = async (): Promise<readonly string[]> => {
    const item = corrects === undefined ? null : await table.get(judgementKeys.told(site, corrects));
    return (item as ToldItem | null)?.assets ?? [];
  };
  const assets = await untilUndisturbed(`event ${eventId}`, async () => {
    const [told, corrected] = await Promise.all([table.get(own) as Promise<ToldItem | null>, ofCorrected()]);
    const newest = told === null || isNewerContent(event, told.event) ? event : told.event;
    const all = [...new Set([...(told?.assets ?? []), event.asset, ...corrected])].sort();
    if (told !== null && newest === told.event && canonicalJson(all) === canonicalJson(told.assets)) return all;
    const saved = await table.putAll([
      { item: { ...own, event: newest, assets: all }, readAt: versionOf(told) },
      ...all.map((asset) => ({
        item: { ...judgementKeys.event(site, asset, eventId), event: newest },
        readAt: null,
      })),
    ]);
    // Who took the corrected event since this was read did not see this one yet.
    return saved && (await ofCorrected()).every((asset) => all.includes(asset)) ? all : null;
  });
  const further = new Set(assets);
  for (const correction of await table.list(own.pk, 'BY#')) {
    const by = (await table.get(judgementKeys.told(site, correction['eventId'] as string))) as ToldItem | null;
    if (by !== null) for (const asset of await rememberEvent(table, by.event, seen)) further.add(asset);
  }
  return [...further];
};

/** How far the device decided by each package; of two starts of it the one that began to decide later counts. */
const rememberDeciding = async (table: JudgementTable, detail: EventDetail<'DecisionsRecorded'>): Promise<void> => {
  const { site, device, boot, firstSequence, lastSequence } = detail;
  const served = new Map(
    detail.runs.flatMap((r) => (r.served ?? []).map((s) => [`${s.modelLine} ${s.packageDigest}`, s] as const)),
  );
  const at = detail.runs.reduce((latest, r) => max(latest, r.lastAt), '');
  for (const { modelLine, packageDigest } of served.values()) {
    const key = judgementKeys.deciding(modelLine, packageDigest, site, device);
    await untilUndisturbed(`decisions of ${site}/${device}`, async () => {
      const found = (await table.get(key)) as DecidingItem | null;
      if (found !== null && found.boot !== boot && found.at >= at) return true;
      const same = found !== null && found.boot === boot ? found : null;
      const item: DecidingItem = {
        ...key,
        site,
        device,
        boot,
        first: min(same?.first ?? firstSequence, firstSequence),
        last: max(same?.last ?? lastSequence, lastSequence),
        at: max(same?.at ?? at, at),
      };
      if (found !== null && canonicalJson({ ...item, version: versionOf(found) }) === canonicalJson(found)) return true;
      return (await table.putAll([{ item, readAt: versionOf(found) }])) ? true : null;
    });
  }
};

/** Keeps which object holds which decisions, and how far each unit came. The same object again changes nothing. */
export const rememberDecisions = async (
  table: JudgementTable,
  detail: EventDetail<'DecisionsRecorded'>,
): Promise<readonly string[]> => {
  const { site, device, boot, firstSequence, lastSequence, tableKey, object } = detail;
  await table.put({
    ...judgementKeys.object(site, device, boot, lastSequence),
    tableKey,
    first: firstSequence,
    last: lastSequence,
  });
  await rememberDeciding(table, detail);
  for (const { asset, run, first, last, firstAt, lastAt, failing, served } of detail.runs) {
    const key = judgementKeys.unit(site, asset, run);
    const decided = judgementKeys.decided(site, asset, run, object);
    await untilUndisturbed(`unit ${asset}/${run}`, async () => {
      const [unit, there] = await Promise.all([table.get(key) as Promise<UnitItem | null>, table.get(decided)]);
      if (there !== null) return true;
      const grown: UnitItem = {
        ...(unit ?? {}),
        ...key,
        run,
        first: min(unit?.first ?? first, first),
        last: max(unit?.last ?? last, last),
        firstAt: min(unit?.firstAt ?? firstAt, firstAt),
        lastAt: max(unit?.lastAt ?? lastAt, lastAt),
        objects: (unit?.objects ?? 0) + 1,
        ...(failing > 0 ? { rejected: true } : {}),
      };
      const saved = await table.putAll([
        { item: { ...decided, tableKey }, readAt: 0 },
        { item: grown, readAt: versionOf(unit) },
        ...(served ?? []).map((by) => ({
          item: {
            ...judgementKeys.served(by.modelLine, by.packageDigest, asset, run),
            lastAt: grown.lastAt,
            ...(grown.rejected === true ? { rejected: true } : {}),
          },
          readAt: null,
        })),
      ]);
      return saved ? true : null;
    });
  }
  return [...new Set(detail.runs.map((r) => r.asset))];
};
