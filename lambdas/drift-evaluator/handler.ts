import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { z } from 'zod';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { digestTopic, FeatureDigest } from '#core/contracts/device.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import type { JudgingPolicy } from '#core/contracts/use-case.ts';
import type { FeatureEvidence } from '#core/drift/decision/feature-votes.ts';
import { judgeWindow, type WindowJudgement } from '#core/drift/device/device-window.ts';
import { sketchesOf } from '#core/drift/sketch/digest-parts.ts';
import { readBaseline } from '#core/drift/sketch/upgrade.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, batchFailures } from '../shared/batch.ts';
import { readDeviceMessage } from '../shared/device-message.ts';
import { judgeModelLine } from '../shared/judge-line.ts';
import { type Item, type JudgementTable, versionOf } from '../shared/judgement-table.ts';
import type { Ledger, LedgerCommandInput } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';
import { readModelLine, readUseCase } from '../shared/retrain-run.ts';

export interface Deps {
  readonly judgement: JudgementTable;
  readonly registry: Pick<RegistryReader, 'latest'>;
  readonly artifacts: ObjectStore;
  readonly ledger: Ledger;
  readonly stage: string;
  readonly log: BatchLog;
  readonly now: () => string;
}

/** Most features that evidence names: a message of a line says the first few. */
const NAMED = 20;

interface State extends Item {
  /** Last window counted of the newest boot, by boot and part: a digest that comes again is not counted twice. */
  readonly seen: Readonly<Record<string, number>>;
  readonly decisions: number;
  readonly counts: Readonly<Record<string, readonly number[]>>;
  /** What was said last, as {@link saysOf}; null before the first judgement. */
  readonly said: string | null;
  readonly farOffWindows: number;
  /** A judgement that was made and is not known to have been told yet; told before anything else is counted. */
  readonly pending?: LedgerCommandInput | null;
}

const add = (a: readonly number[] | undefined, b: readonly number[]): number[] =>
  b.map((count, i) => count + (a?.[i] ?? 0));

/** A device whose data is bad is looked at, and is no drift. */
const announced = ({ state, quality }: WindowJudgement): 'steady' | 'watch' | 'drifted' =>
  quality !== null ? 'watch' : state === 'serious' ? 'drifted' : state;

const evidenceOf = (
  device: string,
  at: string,
  judgement: WindowJudgement,
  farOffWindows: number,
  policy: JudgingPolicy,
): FeatureEvidence => {
  const { state, worstFeature, psi, lower, calibrated, quality } = judgement;
  const moved = judgement.features.filter((f) => f.lower > policy.psiWatch).map((f) => f.name);
  return {
    device,
    at,
    state,
    feature: worstFeature,
    psi,
    lower,
    calibrated,
    ...(quality === null ? {} : { quality }),
    features: moved.slice(0, NAMED),
    farOffWindows,
  };
};

const commandOf = (
  { modelLine, packageDigest, device, site, boot, windowEnd }: FeatureDigest,
  judgement: WindowJudgement,
  evidence: FeatureEvidence,
  decisions: number,
  isNews: boolean,
): LedgerCommandInput => {
  const { worstFeature, psi, lower, quality } = judgement;
  const state = announced(judgement);
  const id = `drift/${modelLine}/${site}/${device}`;
  const measured = `${worstFeature} has index ${psi.toFixed(3)}, at least ${lower.toFixed(3)}`;
  return {
    schema: 'ledger-command/1',
    commandId: commandIdOf(id, packageDigest, boot, windowEnd),
    site,
    actor: 'lambda:drift-evaluator',
    reason:
      quality === null
        ? `inputs of ${device} are ${state}: ${measured}`
        : `inputs of ${device} cannot be judged: ${quality.slice(0, 300)}`,
    record: {
      class: 'judgement',
      id,
      body: {
        schema: 'drift-judgement/1',
        modelLine,
        packageDigest,
        decisions,
        ...judgement,
        ...evidence,
        state,
        features: judgement.features,
      },
    },
    edges: [{ from: nodeRef('judgement', id), rel: 'about', to: nodeRef('package', packageDigest) }],
    ...(isNews
      ? { announce: { type: 'DriftJudged', detail: { modelLine, site, packageDigest, worstFeature, psi, state } } }
      : {}),
  };
};

/** What a change of is told to the ledger and makes the line be judged again; people are told of the first of it. */
const saysOf = (judgement: WindowJudgement, evidence: FeatureEvidence): string =>
  [announced(judgement), judgement.quality ?? '', judgement.calibrated, Math.min(evidence.farOffWindows ?? 0, 3)].join(
    '|',
  );
const stateIn = (said: string | null): string | undefined => said?.split('|', 1)[0];

const Sent = z.looseObject({ device: z.string(), boot: z.string(), windowEnd: z.number(), part: z.number() });
const sentOf = (body: string): z.infer<typeof Sent> | null => {
  try {
    return Sent.parse(JSON.parse(body));
  } catch {
    return null;
  }
};

/** Messages of one boot of a device as it sent them: the queue keeps no order. What is no digest is told where it is read. */
const asSent = (records: readonly SQSRecord[]): readonly SQSRecord[] => {
  const all = records.map((record) => ({ record, sent: sentOf(record.body) }));
  const ofBoots = Map.groupBy(all, ({ sent }) => (sent === null ? '' : `${sent.device}/${sent.boot}`));
  return [...ofBoots.values()].flatMap((of) =>
    of
      .sort(({ sent: a }, { sent: b }) => (a === null || b === null ? 0 : a.windowEnd - b.windowEnd || a.part - b.part))
      .map(({ record }) => record),
  );
};

/**
 * Adds the windows of one device until they make a window of its baseline, tests it against the baseline of the
 * package that saw it and begins anew. Each judgement is evidence about the model line; one that says something else than
 * the one before is recorded, its state announced when that is another, and the line is judged again. It is kept with the counts until that is done,
 * so a ledger that fails once delays it and loses nothing.
 */
export const makeHandler = (deps: Deps) => {
  const baselines = new Map<string, Promise<BaselineSpec>>();
  const baselineOf = (modelLine: string, packageDigest: string): Promise<BaselineSpec> => {
    const key = `${artifactKeys.package(modelLine, packageDigest)}baseline.json`;
    const read = baselines.get(key) ?? getJson(deps.artifacts, key).then((json) => readBaseline(json, key));
    baselines.set(key, read);
    return read.catch((error) => {
      baselines.delete(key);
      throw error;
    });
  };
  const policyOf = async (modelLine: string): Promise<JudgingPolicy> => {
    const found = await readModelLine(deps.registry, modelLine);
    if (found === null) throw new Error(`model line ${modelLine} is not in the registry: publish its use case`);
    return (await readUseCase(deps.registry, found.line.useCaseDigest)).judging;
  };
  const save = async (before: State | null, next: Omit<State, 'version'>, evidence?: Item): Promise<State> => {
    const written = await deps.judgement.putAll([
      { item: next as State, readAt: versionOf(before) },
      ...(evidence === undefined ? [] : [{ item: evidence, readAt: null }]),
    ]);
    if (!written) throw new Error(`${next.pk}, ${next.sk} was changed by another; the message is counted later`);
    return { ...next, version: versionOf(before) + 1 } as unknown as State;
  };
  const settle = async (state: State, modelLine: string): Promise<State> => {
    if (!state.pending) return state;
    await deps.ledger.write([state.pending]);
    await judgeModelLine(deps, modelLine, 'lambda:drift-evaluator');
    return save(state, { ...state, pending: null });
  };

  const evaluate = async (body: unknown): Promise<void> => {
    const digest = readDeviceMessage(FeatureDigest, body, deps.stage, digestTopic);
    const { modelLine, packageDigest, device, site } = digest;
    const key = { pk: `DRIFT#${modelLine}#${packageDigest}`, sk: `${site}/${device}` };
    const found = (await deps.judgement.get(key)) as State | null;
    const before = found === null ? null : await settle(found, modelLine);
    const part = `${digest.boot}/${digest.part}`;
    if ((before?.seen[part] ?? 0) >= digest.windowEnd) return;
    const counts: Record<string, readonly number[]> = { ...before?.counts };
    for (const { name, counts: more } of sketchesOf(digest)) counts[name] = add(counts[name], more);
    // Every part of a window counts the same decisions; the last one completes it.
    const isWhole = digest.part === digest.parts - 1;
    const decisions = (before?.decisions ?? 0) + (isWhole ? digest.rows : 0);
    const ofBoot = Object.entries(before?.seen ?? {}).filter(([name]) => name.startsWith(`${digest.boot}/`));
    const seen = { ...Object.fromEntries(ofBoot), [part]: digest.windowEnd };
    const kept = { ...key, seen, said: before?.said ?? null, farOffWindows: before?.farOffWindows ?? 0, pending: null };
    const baseline = await baselineOf(modelLine, packageDigest);
    if (decisions < baseline.windows.rows) {
      await save(before, { ...kept, decisions, counts });
      return;
    }
    const policy = await policyOf(modelLine);
    const judgement = judgeWindow(baseline, new Map(Object.entries(counts)), policy);
    const farOffWindows = judgement.farOff && judgement.quality === null ? kept.farOffWindows + 1 : 0;
    const evidence = evidenceOf(device, deps.now(), judgement, farOffWindows, policy);
    const said = saysOf(judgement, evidence);
    const isNews = stateIn(said) !== stateIn(kept.said);
    const pending = said === kept.said ? null : commandOf(digest, judgement, evidence, decisions, isNews);
    const next = { ...kept, decisions: 0, counts: {}, said, farOffWindows, pending };
    const saved = await save(before, next, {
      ...judgementKeys.features(modelLine, packageDigest, site, device),
      ...evidence,
    });
    await settle(saved, modelLine);
  };
  // One after the other: messages of one batch are mostly of the same device and would fight for its state.
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failures = batchFailures(deps.log);
    for (const { messageId, body } of asSent(event.Records))
      try {
        await evaluate(JSON.parse(body));
      } catch (error) {
        failures.add(messageId, error);
      }
    return failures.answer();
  };
};
