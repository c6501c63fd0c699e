import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type Ledger, type LedgerCommandInput, writeAll } from './ledger-client.ts';

export interface BatchLog {
  readonly error: (message: string, error: Error) => void;
}

/** Messages of a batch that failed: each is told to the log and goes back to the queue, the others do not. */
export const batchFailures = (log: BatchLog) => {
  const failed = new Set<string>();
  return {
    add(messageId: string, error: unknown): void {
      log.error(`message ${messageId} failed and goes back to the queue`, error as Error);
      failed.add(messageId);
    },
    answer: (): SQSBatchResponse => ({
      batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })),
    }),
  };
};

/**
 * Works on each message of a batch, then writes what all of them have to say to the ledger in one call: writers of one
 * chain race for its head, so fewer calls are faster. Messages that throw go back to the queue, the others do not; after
 * four tries a message waits in the dead-letter queue.
 * @param work what to do with a body; its command is written to the ledger, null writes nothing.
 */
export const recordBatch = async (
  event: SQSEvent,
  deps: { readonly log: BatchLog; readonly ledger: Ledger },
  work: (body: unknown) => Promise<LedgerCommandInput | null>,
): Promise<SQSBatchResponse> => {
  const failures = batchFailures(deps.log);
  const done: { messageId: string; command: LedgerCommandInput }[] = [];
  await Promise.all(
    event.Records.map(async ({ messageId, body }) => {
      try {
        const command = await work(JSON.parse(body));
        if (command !== null) done.push({ messageId, command });
      } catch (error) {
        failures.add(messageId, error);
      }
    }),
  );
  try {
    await writeAll(
      deps.ledger,
      done.map((d) => d.command),
    );
  } catch (error) {
    for (const { messageId } of done) failures.add(messageId, error);
  }
  return failures.answer();
};
