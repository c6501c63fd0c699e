import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { alertIdOf, firstFailing, raiseAlert } from '#core/alerts/raise.ts';
import { DecisionRecord } from '#core/contracts/decision.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS, type EventDetail } from '#core/contracts/events.ts';
import type { AlertRecord } from '#core/contracts/judgement.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { merkleRoot } from '#core/lineage/digest.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import type { BatchLog } from '../shared/batch.ts';
import type { Ledger, LedgerCommandInput } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';

export interface Deps {
  readonly lake: ObjectStore;
  readonly registry: RegistryReader;
  readonly ledger: Ledger;
  readonly log: BatchLog;
}

const Event = z.object({ detail: EVENTS.DecisionsRecorded });
const DecisionObject = z.looseObject({ key: z.string(), merkleRoot: z.string() });
type Recorded = EventDetail<'DecisionsRecorded'>;
type Run = Recorded['runs'][number];

const commandOf = (alert: AlertRecord, object: string): LedgerCommandInput => {
  const { alertId, site, modelLine, asset, run, says, nextAction } = alert;
  const from = nodeRef('alert', alertId);
  return {
    schema: 'ledger-command/1',
    // Without the decision: a later object of the run asks for the same alert, and it stays as it is.
    commandId: commandIdOf('alert-raised', alertId),
    site,
    actor: 'lambda:raise-alerts',
    reason: `${asset} ${run}: ${says}`.slice(0, 400),
    record: { class: 'alert', id: alertId, body: { ...alert } },
    edges: [
      { from, rel: 'about', to: nodeRef('run', `${site}/${asset}/${run}`) },
      { from, rel: 'used', to: nodeRef('decision-object', object) },
      { from, rel: 'decided-by', to: nodeRef('package', alert.packageDigest) },
    ],
    announce: { type: 'AlertRaised', detail: { site, alertId, modelLine, asset, says, nextAction } },
  };
};

/**
 * Raises one alert for each run that a model calls failing, from the first decision that says so. What the model saw is
 * read from the object that the device uploaded, proved by the Merkle root that the registry has of it. Later objects of
 * the run change nothing, and tell nobody again.
 */
export const makeHandler = (deps: Deps) => {
  const useCaseOf = async (modelLine: string): Promise<UseCase> => {
    const line = await deps.registry.latest('model-line', modelLine);
    const digest = line === null ? null : parseAs(ModelLineRecord, line.body, `model line ${modelLine}`).useCaseDigest;
    const record = digest === null ? null : await deps.registry.latest('use-case', digest);
    if (record === null)
      throw new Error(`model line ${modelLine} or its use case is not in the registry: publish it, millwright publish`);
    return parseAs(UseCase, record.body, `use case of ${modelLine}`);
  };

  const decisionsOf = async (object: string): Promise<DecisionRecord[]> => {
    const record = await deps.registry.latest('decision-object', object);
    if (record === null)
      throw new Error(`decision object ${object} is announced and not in the registry: look at record-decisions`);
    const { key, merkleRoot: proved } = parseAs(DecisionObject, record.body, `decision object ${object}`);
    const lines = Buffer.from(await deps.lake.get(key))
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .slice(1);
    if (merkleRoot(lines) !== proved)
      throw new Error(`s3://${deps.lake.bucket}/${key} is not what was registered: look at who wrote it since`);
    return lines.map((line, i) => parseAs(DecisionRecord, JSON.parse(line), `decision ${i + 1} of ${key}`));
  };

  const raise = async ({ object }: Recorded, runs: readonly Run[]): Promise<void> => {
    const commands: LedgerCommandInput[] = [];
    for (const decision of firstFailing(await decisionsOf(object), runs)) {
      const there = await deps.registry.latest('alert', alertIdOf(decision));
      // This very decision once more: the first time may have ended between the record and its announcement.
      if (there !== null && there.body['decision'] !== decision.id) continue;
      commands.push(commandOf(raiseAlert(decision, await useCaseOf(decision.modelLine)), object));
    }
    if (commands.length > 0) await deps.ledger.write(commands);
  };

  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const batchItemFailures: { itemIdentifier: string }[] = [];
    const trying = async (messageId: string, work: () => void | Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        deps.log.error(`message ${messageId} failed and goes back to the queue`, error as Error);
        batchItemFailures.push({ itemIdentifier: messageId });
      }
    };
    const messages = new Map<string, Recorded>();
    // Objects of one run often come in one batch: the earliest of them raises its alert.
    const earliest = new Map<string, { readonly messageId: string; readonly run: Run }>();
    for (const { messageId, body } of event.Records)
      await trying(messageId, () => {
        const { detail } = parseAs(Event, JSON.parse(body), 'DecisionsRecorded event');
        messages.set(messageId, detail);
        for (const run of detail.runs.filter((r) => r.failing > 0)) {
          const id = alertIdOf({ site: detail.site, ...run });
          if (run.first < (earliest.get(id)?.run.first ?? Number.POSITIVE_INFINITY))
            earliest.set(id, { messageId, run });
        }
      });
    for (const [messageId, detail] of messages) {
      const runs = [...earliest.values()].filter((e) => e.messageId === messageId).map((e) => e.run);
      if (runs.length > 0) await trying(messageId, () => raise(detail, runs));
    }
    return { batchItemFailures };
  };
};
