import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { digestTopic, FeatureDigest } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { Baseline } from '#core/contracts/model-package.ts';
import { type DriftJudgement, judgeDrift } from '#core/drift/psi.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import type { BatchLog } from '../shared/batch.ts';
import { readDeviceMessage } from '../shared/device-message.ts';
import type { Ledger, LedgerCommandInput } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';

export interface Deps {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly artifacts: ObjectStore;
  readonly ledger: Ledger;
  readonly stage: string;
  readonly log: BatchLog;
  readonly now: () => string;
}

/** Decisions in one judgement: fewer make the index of stability mostly noise. */
const JUDGE_AFTER = 500;

interface State {
  readonly version: number;
  /** Last window counted of the newest boot, by boot and part: a digest that comes again is not counted twice. */
  readonly seen: Record<string, number>;
  readonly decisions: number;
  readonly counts: Record<string, number[]>;
  readonly judged: DriftJudgement['state'] | null;
  /** A judgement that was made and is not known to be in the ledger yet; written before anything else is counted. */
  readonly pending?: LedgerCommandInput | null;
}

const add = (a: readonly number[] | undefined, b: readonly number[]): number[] =>
  b.map((count, i) => count + (a?.[i] ?? 0));

const commandOf = (
  { modelLine, packageDigest, device, site, boot, windowEnd }: FeatureDigest,
  judgement: DriftJudgement & { readonly at: string; readonly decisions: number },
): LedgerCommandInput => {
  const { worstFeature, psi, state } = judgement;
  const id = `drift/${modelLine}/${site}/${device}`;
  return {
    schema: 'ledger-command/1',
    commandId: commandIdOf(id, packageDigest, boot, windowEnd),
    site,
    actor: 'lambda:drift-evaluator',
    reason: `inputs of ${device} are ${state}: ${worstFeature} has index ${psi.toFixed(3)}`,
    record: {
      class: 'judgement',
      id,
      body: { schema: 'drift-judgement/1', device, modelLine, packageDigest, ...judgement },
    },
    edges: [{ from: nodeRef('judgement', id), rel: 'about', to: nodeRef('package', packageDigest) }],
    announce: { type: 'DriftJudged', detail: { modelLine, site, packageDigest, worstFeature, psi, state } },
  };
};

/**
 * Adds the histograms of one device until there are enough decisions, then measures their distance from the baseline of
 * the package that saw them and begins anew. A judgement that differs from the one before is recorded and announced:
 * it is kept with the counts until the ledger has it, so a ledger that fails once delays it and loses nothing.
 */
export const makeHandler = (deps: Deps) => {
  const evaluate = async (body: unknown): Promise<void> => {
    const digest = readDeviceMessage(FeatureDigest, body, deps.stage, digestTopic);
    const { modelLine, packageDigest, device, site } = digest;
    const key = { pk: `DRIFT#${modelLine}#${packageDigest}`, sk: `${site}/${device}` };
    const found = (await deps.db.send(new GetCommand({ TableName: deps.table, Key: key, ConsistentRead: true })))
      .Item as State | undefined;
    const save = async (before: State | undefined, next: Omit<State, 'version'>): Promise<State> => {
      const item = { ...next, version: (before?.version ?? 0) + 1 };
      await deps.db.send(
        new PutCommand({
          TableName: deps.table,
          Item: { ...key, ...item },
          ConditionExpression: before === undefined ? 'attribute_not_exists(pk)' : 'version = :v',
          ...(before === undefined ? {} : { ExpressionAttributeValues: { ':v': before.version } }),
        }),
      );
      return item;
    };
    const settle = async (state: State): Promise<State> => {
      if (!state.pending) return state;
      await deps.ledger.write([state.pending]);
      return save(state, { ...state, pending: null });
    };

    const settled = found === undefined ? undefined : await settle(found);
    const state: State = settled ?? { version: 0, seen: {}, decisions: 0, counts: {}, judged: null };
    const part = `${digest.boot}/${digest.part}`;
    if ((state.seen[part] ?? 0) >= digest.windowEnd) return;
    const counts = { ...state.counts };
    for (const { name, counts: more } of digest.features) counts[name] = add(counts[name], more);
    // Every part of a window counts the same decisions; the first one counts for all.
    const decisions = state.decisions + (digest.part === 0 ? digest.windowEnd - digest.windowStart + 1 : 0);
    const ofBoot = Object.entries(state.seen).filter(([key]) => key.startsWith(`${digest.boot}/`));
    const seen = { ...Object.fromEntries(ofBoot), [part]: digest.windowEnd };
    if (decisions < JUDGE_AFTER) {
      await save(settled, { seen, decisions, counts, judged: state.judged, pending: null });
      return;
    }
    const baselineKey = `${artifactKeys.package(modelLine, packageDigest)}baseline.json`;
    const baseline = parseAs(Baseline, await getJson(deps.artifacts, baselineKey), baselineKey);
    const judgement = judgeDrift(baseline, new Map(Object.entries(counts)));
    const pending =
      judgement.state === state.judged ? null : commandOf(digest, { at: deps.now(), decisions, ...judgement });
    await settle(await save(settled, { seen, decisions: 0, counts: {}, judged: judgement.state, pending }));
  };
  // One after the other: messages of one batch are mostly of the same device and would fight for its state.
  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    for (const { messageId, body } of event.Records)
      try {
        await evaluate(JSON.parse(body));
      } catch (error) {
        deps.log.error(`message ${messageId} failed and goes back to the queue`, error as Error);
        batchItemFailures.push({ itemIdentifier: messageId });
      }
    return { batchItemFailures };
  };
};
