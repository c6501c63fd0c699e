import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { QuarantinedMessage } from '#core/contracts/quarantine.ts';
import type { GoodMessage } from '#core/lake/check-message.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { type BatchLog, batchFailures, type Said, writeOrFail } from '../shared/batch.ts';
import { asNameUsed, checkTopicMessage, readMessageRules } from '../shared/check-messages.ts';
import { landMessages } from '../shared/land-messages.ts';
import type { LandingDeps } from '../shared/landing.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { parseObjectCreated } from '../shared/object-created.ts';
import { quarantineMessages } from '../shared/quarantine-messages.ts';
import { type TopicMessage, topicMessage } from '../shared/topic-message.ts';
import { takeUpload } from './take-upload.ts';

export interface Deps extends LandingDeps {
  readonly registry: Pick<RegistryReader, 'list'>;
  readonly ledger: Ledger;
  readonly stage: string;
  readonly log: BatchLog;
}

const ACTOR = 'lambda:batch-writer';

const jsonOf = (body: string): unknown => {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
};

/** An event of S3, which came by its own queue; whatever a device says has the topic beside it. */
const isUpload = (document: unknown): boolean => {
  const { source, cameOn } = (document ?? {}) as { readonly source?: unknown; readonly cameOn?: unknown };
  return source === 'aws.s3' && cameOn === undefined;
};

interface Received {
  readonly messageId: string;
  readonly message: TopicMessage;
}

/**
 * Writes small messages of devices, and uploads of observations, to the tables with tiers: many messages in one Parquet
 * file, each message once. What breaks its contract, speaks for another device or has a wrong unit is put aside with its
 * bytes and its reason, recorded and announced; only what could not be written goes back to the queue.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: SQSEvent): Promise<SQSBatchResponse> => {
    const failures = batchFailures(deps.log);
    const at = deps.now();
    const rules = await readMessageRules(deps.registry, deps.stage);
    const good: (Received & { checked: GoodMessage })[] = [];
    const aside: (Received & { quarantined: QuarantinedMessage })[] = [];
    const said: Said[] = [];
    for (const { messageId, body } of event.Records) {
      const document = jsonOf(body);
      if (isUpload(document)) {
        try {
          const command = await takeUpload(deps, parseObjectCreated(document), rules);
          if (command !== null) said.push({ messageIds: [messageId], command });
        } catch (error) {
          failures.add(messageId, error);
        }
        continue;
      }
      const message = topicMessage(body, document);
      const checked = checkTopicMessage(message, rules, at);
      if ('ok' in checked) good.push({ messageId, message, checked });
      else aside.push({ messageId, message, quarantined: checked });
    }
    const fates = await landMessages(
      deps,
      good.map((g) => g.checked),
    );
    for (const [i, { messageId, message, checked }] of good.entries()) {
      const fate = fates[i];
      if (fate === 'name-used') aside.push({ messageId, message, quarantined: asNameUsed(message, checked, at) });
      else if (fate === 'later') failures.add(messageId, new Error(`${checked.id} is claimed by another batch`));
      else if (typeof fate === 'object') failures.add(messageId, fate.failed);
    }
    try {
      const { commands, later } = await quarantineMessages(
        deps,
        aside.map((a) => a.quarantined),
        ACTOR,
      );
      const messageIds = aside.map((a) => a.messageId);
      said.push(...commands.map((command) => ({ messageIds, command })));
      for (const { messageId, quarantined } of aside)
        if (later.has(quarantined)) failures.add(messageId, new Error('it is being put aside by another batch'));
    } catch (error) {
      for (const { messageId } of aside) failures.add(messageId, error);
    }
    await writeOrFail(deps.ledger, said, failures);
    return failures.answer();
  };
