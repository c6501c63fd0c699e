import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';

export interface BatchLog {
  readonly error: (message: string, error: Error) => void;
}

/**
 * Runs `work` for each message of a batch; the ones that throw go back to the queue, the others do not. After four
 * tries a message waits in the dead-letter queue.
 */
export const eachMessage = async (
  event: SQSEvent,
  log: BatchLog,
  work: (body: unknown) => Promise<void>,
): Promise<SQSBatchResponse> => {
  const outcomes = await Promise.allSettled(
    event.Records.map(async (record) => {
      await work(JSON.parse(record.body));
    }),
  );
  return {
    batchItemFailures: outcomes.flatMap((outcome, i) => {
      if (outcome.status === 'fulfilled') return [];
      const messageId = event.Records[i]?.messageId ?? '';
      log.error(`message ${messageId} failed and goes back to the queue`, outcome.reason as Error);
      return [{ itemIdentifier: messageId }];
    }),
  };
};
