import { type DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { FeatureDigest } from '#core/contracts/device.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { Baseline } from '#core/contracts/model-package.ts';
import { type DriftJudgement, judgeDrift } from '#core/drift/psi.ts';
import type { BatchLog } from '../shared/batch.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { getJson, type ObjectStore } from '../shared/object-store.ts';

export interface Deps {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly artifacts: ObjectStore;
  readonly ledger: Ledger;
  readonly log: BatchLog;
  readonly now: () => string;
}

/** Decisions in one judgement: fewer make the index of stability mostly noise. */
const JUDGE_AFTER = 500;

interface State {
  readonly version: number;
  /** Last window counted, by boot and part: a digest that comes again is not counted twice. */
  readonly seen: Record<string, number>;
  readonly decisions: number;
  readonly counts: Record<string, number[]>;
  readonly judged: DriftJudgement['state'] | null;
}

const add = (a: readonly number[] | undefined, b: readonly number[]): number[] =>
  b.map((count, i) => count + (a?.[i] ?? 0));

/**
 * Adds the histograms of one device until there are enough decisions, then measures their distance from the baseline of
 * the package that saw them and begins anew. A judgement that differs from the one before is recorded and announced.
 */
export const makeHandler = (deps: Deps) => {
  const evaluate = async (body: unknown): Promise<void> => {
    const digest = parseAs(FeatureDigest, body, 'feature digest');
    const { modelLine, packageDigest, device, site } = digest;
    const key = { pk: `DRIFT#${modelLine}#${packageDigest}`, sk: `${site}/${device}` };
    const found = (await deps.db.send(new GetCommand({ TableName: deps.table, Key: key, ConsistentRead: true })))
      .Item as State | undefined;
    const state: State = found ?? { version: 0, seen: {}, decisions: 0, counts: {}, judged: null };
    const part = `${digest.boot}/${digest.part}`;
    if ((state.seen[part] ?? 0) >= digest.windowEnd) return;
    const counts = { ...state.counts };
    for (const { name, counts: more } of digest.features) counts[name] = add(counts[name], more);
    // Every part of a window counts the same decisions; the first one counts for all.
    const decisions = state.decisions + (digest.part === 0 ? digest.windowEnd - digest.windowStart + 1 : 0);
    let next: State = {
      version: state.version + 1,
      seen: { ...state.seen, [part]: digest.windowEnd },
      decisions,
      counts,
      judged: state.judged,
    };
    let judgement: DriftJudgement | null = null;
    if (decisions >= JUDGE_AFTER) {
      const baselineKey = `${artifactKeys.package(modelLine, packageDigest)}baseline.json`;
      const baseline = parseAs(Baseline, await getJson(deps.artifacts, baselineKey), baselineKey);
      judgement = judgeDrift(baseline, new Map(Object.entries(counts)));
      next = { ...next, decisions: 0, counts: {}, judged: judgement.state };
    }
    await deps.db.send(
      new PutCommand({
        TableName: deps.table,
        Item: { ...key, ...next },
        ConditionExpression: found === undefined ? 'attribute_not_exists(pk)' : 'version = :v',
        ...(found === undefined ? {} : { ExpressionAttributeValues: { ':v': state.version } }),
      }),
    );
    if (judgement === null || judgement.state === state.judged) return;
    const at = deps.now();
    const id = `drift/${modelLine}/${site}/${device}`;
    await deps.ledger.write([
      {
        schema: 'ledger-command/1',
        commandId: `drift/${device}/${packageDigest}/${digest.boot}/${digest.windowEnd}`,
        site,
        actor: 'lambda:drift-evaluator',
        reason: `inputs of ${device} are ${judgement.state}: ${judgement.worstFeature} has index ${judgement.psi.toFixed(3)}`,
        record: {
          class: 'judgement',
          id,
          body: { schema: 'drift-judgement/1', at, device, modelLine, packageDigest, decisions, ...judgement },
        },
        edges: [{ from: nodeRef('judgement', id), rel: 'about', to: nodeRef('package', packageDigest) }],
        announce: {
          type: 'DriftJudged',
          detail: {
            modelLine,
            site,
            packageDigest,
            worstFeature: judgement.worstFeature,
            psi: judgement.psi,
            state: judgement.state,
          },
        },
      },
    ]);
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
