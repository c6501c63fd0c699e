import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { DriftWindow } from '#core/contracts/drift.ts';
import type { DriftFold } from '#core/contracts/drift-fold.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import { artifactKeys, lakeKeys } from '#core/contracts/lake.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import type { Digest } from '#core/contracts/primitives.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import type { DeviceState } from '#core/drift/device/device-state.ts';
import { featureEvidence } from '#core/drift/device/feature-evidence.ts';
import { checkWindow } from '#core/drift/sketch/check-window.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { signalsRead } from '#core/feature-sets/record.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { EVER, type StandingChain, standingChains } from '#core/outcomes/standing.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { heldReasons } from '#core/quality/held-reasons.ts';
import { compareText } from '#core/text/compare.ts';
import { judgeModelLine } from '../shared/judge-line.ts';
import { type Item, type JudgementTable, versionOf } from '../shared/judgement-table.ts';
import { keptEvents } from '../shared/kept-events.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore, sha256 } from '../shared/object-store.ts';
import { onceKnown } from '../shared/once-known.ts';
import { readModelLine, readUseCase } from '../shared/retrain-run.ts';
import { untilUndisturbed } from '../shared/undisturbed.ts';
import {
  type DeviceItem,
  describedItem,
  deviceItem,
  isKnown,
  isLate,
  judgedItem,
  leftBoots,
  type Pending,
  readyOf,
  type SeenBoot,
  type Waiting,
  withBoot,
  withoutWindows,
  withWindow,
} from './device-item.ts';
import { knownFindings } from './findings.ts';
import { announcedState, driftCommand, saysOf } from './tell.ts';
import { keepWindow } from './whole-windows.ts';

export interface JudgeWindowDeps {
  readonly judgement: JudgementTable;
  readonly registry: Pick<RegistryReader, 'latest' | 'list'>;
  readonly artifacts: ObjectStore;
  readonly lake: ObjectStore;
  readonly ledger: Ledger;
  readonly now: () => string;
}

/** The newest events that a window is judged with. */
const MOST_EVENTS = 50;

type Times = Pick<DriftWindow, 'site' | 'from' | 'to'> & { readonly assets: readonly string[] };

const timesOf = (windows: readonly DriftWindow[]): Times => ({
  site: windows[0]?.site ?? '',
  from: windows.map((w) => w.from).sort()[0] ?? '',
  to:
    windows
      .map((w) => w.to)
      .sort()
      .at(-1) ?? '',
  assets: [...new Set(windows.flatMap((w) => w.assets))].sort(compareText),
});

/**
 * Plant events of the assets, up to the end of the windows, the newest ones in order: those that stand, each with all that
 * it corrects, so that what was judged by one of those is put right. Of what was judged by, also what is still to come as
 * it was told since.
 */
const readEvents = async (
  table: JudgementTable,
  { site, to, assets }: Times,
  judgedBy: ReadonlySet<string>,
): Promise<readonly PlantEvent[]> => {
  const events = await keptEvents(table, site, assets);
  const byId = new Map(events.map((e) => [e.eventId, e]));
  const contents = ({ ids }: StandingChain): readonly PlantEvent[] => ids.flatMap((id) => byId.get(id) ?? []);
  const begins = (chain: StandingChain): string =>
    contents(chain)
      .map((e) => e.validTime)
      .sort()[0] ?? '';
  const isJudgedBy = ({ ids }: StandingChain): boolean => ids.some((id) => judgedBy.has(id));
  const chains = standingChains(events, EVER)
    .filter((chain) => isJudgedBy(chain) || begins(chain) <= to)
    .sort((a, b) => compareText(begins(a), begins(b)) || compareText(a.event.eventId, b.event.eventId));
  const newest = new Set(chains.slice(-MOST_EVENTS));
  return chains.filter((chain) => newest.has(chain) || isJudgedBy(chain)).flatMap(contents);
};

/**
 * Judges whole windows as they come: keeps each in the lake, waits for as many rows of a context as the baseline judges by,
 * and folds them into what is known of the device. Each fold leaves an object with all that it was judged by; one that
 * says something else than the fold before is recorded and announced; the line is judged again while inputs differ.
 */
export const windowJudge = (deps: JudgeWindowDeps) => {
  const baselineOf = onceKnown(async (prefix: string): Promise<BaselineSpec> => {
    const key = `${prefix}baseline.json`;
    return readBaseline(await getJson(deps.artifacts, key), key);
  });
  const useCaseOf = onceKnown((digest: string) => readUseCase(deps.registry, digest));
  const lineUseCase = async (modelLine: string): Promise<UseCase> => {
    const found = await readModelLine(deps.registry, modelLine);
    if (found === null) throw new Error(`model line ${modelLine} is not in the registry: publish its use case`);
    return useCaseOf(found.line.useCaseDigest);
  };

  /** @returns null when another one wrote in between. */
  const save = async (readAt: number, item: DeviceItem, others: readonly Item[] = []): Promise<DeviceItem | null> => {
    const written = await deps.judgement.putAll([
      { item, readAt },
      ...others.map((other) => ({ item: other, readAt: null })),
    ]);
    return written ? { ...item, version: readAt + 1 } : null;
  };
  const settle = async (item: DeviceItem, modelLine: string): Promise<DeviceItem | null> => {
    if (item.pending === null) return item;
    const { commands } = JSON.parse(item.pending) as Pending;
    if (commands.length > 0) await deps.ledger.write([...commands]);
    await judgeModelLine(deps, modelLine, 'lambda:drift-evaluator');
    return save(versionOf(item), { ...item, pending: null });
  };

  /**
   * Windows that waited, with the digest of each, and those that are not in the lake any more: their retention is over.
   * @param own bytes of the window itself, which was kept just now.
   */
  const read = async (window: DriftWindow, own: Uint8Array, names: readonly Waiting[]) => {
    // By the host's own SHA-256 of the bytes that are kept, which are canonical JSON: the fold would take 30 times as long.
    const digests = new Map<DriftWindow, Digest>();
    const gone: Waiting[] = [];
    const windows = await inParallel(names, async (name) => {
      const { boot, windowStart } = name;
      const key = lakeKeys.driftWindow({ ...window, boot, windowStart });
      const isOwn = boot === window.boot && windowStart === window.windowStart;
      const bytes = isOwn ? own : await deps.lake.find(key);
      if (bytes === null) {
        gone.push(name);
        return [];
      }
      const found = isOwn ? window : parseAs(DriftWindow, JSON.parse(Buffer.from(bytes).toString('utf8')), key);
      digests.set(found, sha256(bytes));
      return [found];
    });
    return { windows: windows.flat(), digests, gone };
  };

  const fold = async (
    item: DeviceItem,
    { modelLine, packageDigest }: DriftWindow,
    { windows, digests }: Pick<Awaited<ReturnType<typeof read>>, 'windows' | 'digests'>,
  ): Promise<DriftFold & { state: DeviceState }> => {
    const windowDigest = (w: DriftWindow): Digest => digests.get(w) ?? digestOf(w);
    const times = timesOf(windows);
    const before = item.device === null ? null : (JSON.parse(item.device) as DeviceState);
    const judgedBy = new Set(before?.events.map((e) => e.eventId));
    const [baseline, useCase, events, findings] = await Promise.all([
      baselineOf(artifactKeys.package(modelLine, packageDigest)),
      lineUseCase(modelLine),
      readEvents(deps.judgement, times, judgedBy),
      inParallel(times.assets, (asset) => knownFindings(deps.judgement, times.site, asset)),
    ]);
    const signals = signalsRead(useCase).map((s) => s.name);
    const held = heldReasons(findings.flat(), { assets: times.assets, signals }, times);
    const { state, evidence } = foldWindow(before, windows, {
      baseline,
      policy: useCase.judging,
      events,
      held,
      windowDigest,
    });
    return { schema: 'drift-fold/1', evidence, policy: useCase.judging, events: [...events], state };
  };

  const bootKey = ({ modelLine, packageDigest, site, device }: DriftWindow, boot: string) =>
    judgementKeys.boot(modelLine, packageDigest, site, device, boot);
  /** The item with what is known of the start of a window, also where that is not among the newest. */
  const knowingBoot = async (item: DeviceItem, window: DriftWindow): Promise<DeviceItem> => {
    if (item.seen.some((s) => s.boot === window.boot)) return item;
    const kept = await deps.judgement.get(bootKey(window, window.boot));
    return kept === null ? item : withBoot(item, kept as unknown as SeenBoot);
  };

  /** @returns null when another one judged the device meanwhile. */
  const judge = async (window: DriftWindow): Promise<'done' | null> => {
    const { modelLine, packageDigest, site, device, context } = window;
    const key = judgementKeys.device(modelLine, packageDigest, site, device);
    const found = await deps.judgement.get(key);
    const settled = await settle(deviceItem(key, found), modelLine);
    if (settled === null) return null;
    const before = await knowingBoot(settled, window);
    const readAt = Math.max(versionOf(before), versionOf(found));
    const known = isKnown(before, window);
    if (known === 'known') return 'done';
    const baseline = await baselineOf(artifactKeys.package(modelLine, packageDigest));
    checkWindow(window, baseline);
    const bytes = await keepWindow(deps.lake, window);
    if (known === 'late') return 'done';
    let item = withWindow(before, window);
    const boots = leftBoots(before, item).map((b) => ({ ...bootKey(window, b.boot), ...b }));
    const ready = readyOf(item, context, baseline.windows.rows);
    const of = ready === null ? null : await read(window, bytes, ready);
    if (of !== null) item = withoutWindows(item, context, of.gone);
    if (of === null || readyOf(item, context, baseline.windows.rows) === null)
      return (await save(readAt, item, boots)) === null ? null : 'done';
    const { state, ...folded } = await fold(item, window, of);
    const { evidence, policy } = folded;
    const object = lakeKeys.driftEvidence(window, evidence);
    await deps.lake.put(object, Buffer.from(canonicalJson(folded)), 'application/json');
    const now = deps.now();
    if (isLate(item, of.windows, now)) {
      const { said } = item;
      return (await save(readAt, judgedItem(item, context, { state, said, pending: null }), boots)) === null
        ? null
        : 'done';
    }
    const seen = featureEvidence(evidence, now, policy);
    const said = saysOf(evidence, item.said);
    const isNews = said !== item.said;
    // While inputs differ, every window is evidence for the line, although nothing else is said of the device.
    const isEvidence = isNews || announcedState(evidence) !== 'steady';
    const pending = isEvidence ? { commands: isNews ? [driftCommand(evidence, seen, object, item.said)] : [] } : null;
    const judged = describedItem(judgedItem(item, context, { state, said, pending }), of.windows, now);
    const line = { ...judgementKeys.features(modelLine, packageDigest, site, device), ...seen };
    const saved = await save(readAt, judged, [...boots, line]);
    if (saved === null) return null;
    // Whoever writes in between has settled it first.
    await settle(saved, modelLine);
    return 'done';
  };

  /** @throws {Error} when others judge the device again and again, or something cannot be read; nothing is half done. */
  return async (window: DriftWindow): Promise<void> => {
    await untilUndisturbed(`inputs of ${window.site}/${window.device}`, () => judge(window));
  };
};
