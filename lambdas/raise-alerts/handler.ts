import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { z } from 'zod';
import { alertIdOf, firstFailing, raiseAlert } from '#core/alerts/raise.ts';
import { DecisionRecord } from '#core/contracts/decision.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENTS, type EventDetail } from '#core/contracts/events.ts';
import type { AlertRecord } from '#core/contracts/judgement.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { merkleRoot } from '#core/lineage/digest.ts';
import { onceEach } from '#core/policy/once-each.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, batchFailures } from '../shared/batch.ts';
import type { Ledger, LedgerCommandInput } from '../shared/ledger-client.ts';
import type { ObjectStore } from '../shared/object-store.ts';
import { useCaseOfLine } from '../shared/retrain-run.ts';

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

  const raise = async (object: string, decisions: readonly DecisionRecord[], run: Run): Promise<void> => {
    const [decision] = firstFailing(decisions, [run]);
    if (decision === undefined) return;
    const there = await deps.registry.latest('alert', alertIdOf(decision));
    // This very decision once more: the first time may have ended between the record and its announcement.
    if (there !== null && there.body['decision'] !== decision.id) return;
    await deps.ledger.write([
      commandOf(raiseAlert(decision, await useCaseOfLine(deps.registry, decision.modelLine)), object),
    ]);
  };

  return async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const once = onceEach(decisionsOf);
    const failures = batchFailures(deps.log);
    const trying = async (messageId: string, work: () => void | Promise<void>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        failures.add(messageId, error);
      }
    };
    const failing: { readonly messageId: string; readonly detail: Recorded; readonly run: Run }[] = [];
    for (const { messageId, body } of event.Records)
      await trying(messageId, () => {
        const { detail } = parseAs(Event, JSON.parse(body), 'DecisionsRecorded event');
        failing.push(...detail.runs.filter((r) => r.failing > 0).map((run) => ({ messageId, detail, run })));
      });
    // Objects of one run often come in one batch: the earliest of them raises its alert, the next where that cannot be read.
    const raised = new Set<string>();
    for (const { messageId, detail, run } of failing.sort((a, b) => a.run.first - b.run.first)) {
      const id = alertIdOf({ site: detail.site, ...run });
      if (raised.has(id)) continue;
      await trying(messageId, async () => {
        await raise(detail.object, await once(detail.object), run);
        raised.add(id);
      });
    }
    return failures.answer();
  };
};
