import { z } from 'zod';

/** What a topic rule sends on: the bytes as they were published, or their JSON with the topic beside its fields. */
const AsBytes = z.strictObject({ cameOn: z.string(), bytes: z.base64() });
const AsJson = z.looseObject({ cameOn: z.string() });

/** A message as it was published, and on which topic; null where none is known. */
export interface TopicMessage {
  readonly topic: string | null;
  readonly bytes: Uint8Array;
}

/**
 * Reads the body of a queue's message that a topic rule sent. A body of any other form is a message without a topic,
 * whole: whoever checks it says what is wrong with it.
 * @param document its JSON; undefined where it is none.
 */
export const topicMessage = (body: string, document: unknown): TopicMessage => {
  const asBytes = AsBytes.safeParse(document);
  if (asBytes.success) return { topic: asBytes.data.cameOn, bytes: Buffer.from(asBytes.data.bytes, 'base64') };
  const asJson = AsJson.safeParse(document);
  if (!asJson.success) return { topic: null, bytes: Buffer.from(body) };
  const { cameOn, ...message } = asJson.data;
  return { topic: cameOn, bytes: Buffer.from(JSON.stringify(message)) };
};
