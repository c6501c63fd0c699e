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

/** What messages of a batch have to say to the ledger. */
export interface Said {
  readonly messageIds: readonly string[];
  readonly command: LedgerCommandInput;
}

/** Writes what a batch has to say; where that fails, the messages that say it do. */
export const writeOrFail = async (
  ledger: Ledger,
  said: readonly Said[],
  failures: ReturnType<typeof batchFailures>,
): Promise<void> => {
  try {
    await writeAll(
      ledger,
      said.map((s) => s.command),
    );
  } catch (error) {
    for (const { messageIds } of said) for (const messageId of messageIds) failures.add(messageId, error);
  }
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
  const done: Said[] = [];
  await Promise.all(
    event.Records.map(async ({ messageId, body }) => {
      try {
        const command = await work(JSON.parse(body));
        if (command !== null) done.push({ messageIds: [messageId], command });
      } catch (error) {
        failures.add(messageId, error);
      }
    }),
  );
  await writeOrFail(deps.ledger, done, failures);
  return failures.answer();
};
