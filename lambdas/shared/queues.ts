import { SendMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';

/** Queues of the platform that somebody else works through. */
export interface Queues {
  /** @param url where; @param body a JSON document. */
  send(url: string, body: unknown): Promise<void>;
}

/** Needs sqs:SendMessage on the queues. */
export const sqsQueues = (client: SQSClient): Queues => ({
  async send(url, body) {
    await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(body) }));
  },
});
