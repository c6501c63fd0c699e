import { parseAs } from '#core/contracts/errors.ts';
import { JoinedOutcomeRecord, judgementKeys } from '#core/contracts/judgement.ts';
import { type LineageEdge, nodeRef } from '#core/contracts/ledger.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { joinOutcome } from '#core/outcomes/join.ts';
import { joinedEventId, type Resolved, resolveEvent } from '#core/outcomes/resolve.ts';
import { EVER, standingEvents } from '#core/outcomes/standing.ts';
import { type EndOfUnit, endOfUnit } from '#core/outcomes/unit.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type JudgementTable, versionOf, type Write } from '../shared/judgement-table.ts';
import { keptEvents } from '../shared/kept-events.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { syncRecord } from '../shared/sync-record.ts';
import type { DecisionTable, Row } from './decision-table.ts';
import type { UnitItem } from './remember.ts';

export const ACTOR = 'lambda:outcome-joiner';
const OUTCOMES: readonly string[] = ['failure', 'finding', 'repair', 'inspection'];

export interface JoinDeps {
  readonly judgement: JudgementTable;
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly ledger: Ledger;
  readonly decisions: DecisionTable;
  /** Cap of the label of a model line. */
  readonly capOf: (modelLine: string) => Promise<number>;
}

/** A unit whose outcomes the ledger or the judge may not have yet. */
export interface Unsettled {
  readonly unit: UnitItem;
  readonly lines: readonly string[];
}

interface PlacedFrom {
  readonly event: PlantEvent;
  readonly resolved: Resolved;
}

const sameTruth = ({ by: _, ...end }: EndOfUnit): unknown => end;

/** Which unit each standing event of the machine speaks of. */
const placeEvents = async (
  deps: JoinDeps,
  site: string,
  asset: string,
  units: readonly UnitItem[],
): Promise<readonly PlacedFrom[]> => {
  const events = await keptEvents(deps.judgement, site, [asset]);
  const standing = standingEvents(events, EVER).filter((e) => e.asset === asset && OUTCOMES.includes(e.kind));
  const placed: PlacedFrom[] = [];
  for (const event of standing) {
    const resolved = await resolveEvent(event, units, {
      decision: deps.decisions.find,
      frames: (run) => deps.decisions.ofUnit(site, asset, run),
    });
    if (resolved !== null) placed.push({ event, resolved });
  }
  return placed;
};

/** What each package's decisions on a unit are worth, by how it ended. */
const joinUnit = async (
  deps: JoinDeps,
  site: string,
  asset: string,
  unit: UnitItem,
  end: EndOfUnit,
): Promise<readonly JoinedOutcomeRecord[]> => {
  const rows = await deps.decisions.ofUnit(site, asset, unit.run);
  const byPackage = Map.groupBy(
    rows.filter((r): r is Row & { packageDigest: string } => r.packageDigest !== null),
    (r) => r.packageDigest,
  );
  const records: JoinedOutcomeRecord[] = [];
  for (const [packageDigest, decided] of [...byPackage].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { modelLine } = decided[0] as Row;
    const { validTime, knownTime, events, endedAt } = end;
    records.push({
      schema: 'outcome-judgement/2',
      modelLine,
      site,
      packageDigest,
      asset,
      run: unit.run,
      end: end.end,
      endedAt,
      validTime,
      knownTime,
      events: [...events],
      ...joinOutcome(decided, end, await deps.capOf(modelLine)),
      ...(rows.some((r) => r.verdict === 'fail') ? { rejected: true } : {}),
    });
  }
  return records;
};

const outcomeKey = (asset: string, run: string, of: { readonly modelLine: string; readonly packageDigest: string }) =>
  judgementKeys.outcome(of.modelLine, of.packageDigest, asset, run);

/** An outcome whose report was taken back: what was said stays readable, and counts no more. */
const takenBack = ({ lossAtMost: _, meanError: __, ...record }: JoinedOutcomeRecord): JoinedOutcomeRecord => ({
  ...record,
  end: 'contradicted',
  loss: null,
  rmse: null,
  lastError: null,
});

const syncOutcome = async (
  deps: JoinDeps,
  site: string,
  asset: string,
  run: string,
  of: { readonly modelLine: string; readonly packageDigest: string },
): Promise<void> => {
  const id = `outcome/${of.modelLine}/${site}/${asset}/${run}/${of.packageDigest}`;
  const node = nodeRef('judgement', id);
  await syncRecord(deps, { site, actor: ACTOR, class: 'judgement', id }, async () => {
    const item = await deps.judgement.get(outcomeKey(asset, run, of));
    if (item === null) return null;
    const record = parseAs(JoinedOutcomeRecord, item['record'], `outcome ${id}`);
    const edges: LineageEdge[] = [
      { from: node, rel: 'about', to: nodeRef('package', of.packageDigest) },
      { from: node, rel: 'about', to: nodeRef('run', `${site}/${asset}/${run}`) },
      ...record.events
        .slice(0, 30)
        .map((e): LineageEdge => ({ from: node, rel: 'used', to: nodeRef('plant-event', `${site}/${e}`) })),
    ];
    return { reason: `the end of ${asset} ${run} became known: ${record.end}`, body: { ...record }, edges };
  });
};

const idOfJoined = ({ eventId }: PlantEvent): string => joinedEventId(eventId, digestOf(eventId));

/** It was joined before, perhaps to another run: decisions came late of the one that it speaks of. */
const wasJoined = async (deps: JoinDeps, { event }: PlacedFrom): Promise<boolean> =>
  (await deps.registry.latest('plant-event', `${event.site}/${idOfJoined(event)}`)) !== null;

/** Says in the registry which run an event was joined to that named none: labels come from there (ADR 9). */
const syncJoined = async (deps: JoinDeps, { event, resolved }: PlacedFrom): Promise<void> => {
  const eventId = idOfJoined(event);
  const body: PlantEvent = {
    ...event,
    eventId,
    corrects: event.eventId,
    run: resolved.run,
    index: resolved.index,
    reportedBy: ACTOR,
    detail: { ...event.detail, joinedBy: resolved.by },
  };
  const id = `${event.site}/${eventId}`;
  await syncRecord(deps, { site: event.site, actor: ACTOR, class: 'plant-event', id }, async () => ({
    reason: `${event.eventId} was joined to ${event.asset} ${resolved.run} at ${resolved.index}`,
    body: { ...body },
    edges: [
      {
        from: nodeRef('plant-event', id),
        rel: 'derived-from',
        to: nodeRef('plant-event', `${event.site}/${event.eventId}`),
      },
    ],
  }));
};

/**
 * Joins every unit of a machine whose truth or decisions changed, keeps the outcomes and brings the ledger up to date.
 * Outcomes and the unit are written together or not at all, on the condition that the unit is as it was read.
 * @returns units that the judge must see; null when someone wrote in between: do it again.
 */
export const joinAsset = async (deps: JoinDeps, site: string, asset: string): Promise<readonly Unsettled[] | null> => {
  const units = (await deps.judgement.list(judgementKeys.asset(site, asset), 'UNIT#')) as readonly UnitItem[];
  if (units.length === 0) return [];
  const placed = await placeEvents(deps, site, asset, units);
  const byRun = Map.groupBy(placed, (p) => p.resolved.run);
  const unsettled: Unsettled[] = [];
  const deciding = new Set<string>();
  for (const unit of units) {
    const about = byRun.get(unit.run) ?? [];
    const end = endOfUnit(
      about.map(({ event, resolved }) => ({ ...event, run: resolved.run, index: resolved.index })),
      unit.last,
    );
    if (end === null && unit.joined === undefined) continue;
    const joined = digestOf({ end: end === null ? null : sameTruth(end), objects: unit.objects });
    if (unit.joined === joined && unit.settled === joined) continue;
    let current = unit;
    if (unit.joined !== joined) {
      const before = unit.outcomes ?? [];
      const earlier = await Promise.all(before.map((of) => deps.judgement.get(outcomeKey(asset, unit.run, of))));
      const kept = earlier.flatMap((item) =>
        item === null ? [] : [takenBack(parseAs(JoinedOutcomeRecord, item['record'], `outcome ${item.sk}`))],
      );
      const records = end === null ? [] : await joinUnit(deps, site, asset, unit, end);
      const all = new Map([...kept, ...records].map((r) => [`${r.modelLine} ${r.packageDigest}`, r]));
      const outcomes = [...all.values()].map(({ modelLine, packageDigest }) => ({ modelLine, packageDigest }));
      const next: UnitItem = { ...unit, joined, outcomes };
      const writes: Write[] = [
        { item: next, readAt: versionOf(unit) },
        ...[...all.values()].map((record) => ({
          item: { ...outcomeKey(asset, unit.run, record), record },
          readAt: null,
        })),
      ];
      if (!(await deps.judgement.putAll(writes))) return null;
      current = { ...next, version: versionOf(unit) + 1 };
    }
    for (const of of current.outcomes ?? []) await syncOutcome(deps, site, asset, unit.run, of);
    for (const { event } of about) if (end?.events.includes(event.eventId)) deciding.add(event.eventId);
    unsettled.push({ unit: current, lines: [...new Set((current.outcomes ?? []).map((o) => o.modelLine))] });
  }
  if (unsettled.length === 0) return [];
  for (const p of placed)
    if (
      (p.event.run === null || p.event.index === null) &&
      (deciding.has(p.event.eventId) || (await wasJoined(deps, p)))
    )
      await syncJoined(deps, p);
  return unsettled;
};

/** Marks a unit as told to ledger and judge; one that changed meanwhile stays unsettled for whoever changed it. */
export const settleUnit = async (table: JudgementTable, { unit }: Unsettled): Promise<void> => {
  await table.putAll([{ item: { ...unit, settled: unit.joined }, readAt: versionOf(unit) }]);
};
