import type { QuarantinedMessage } from '#core/contracts/quarantine.ts';
import { checkMessage, type GoodMessage, type MessageRules } from '#core/lake/check-message.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import { publishedUseCases } from './published-use-cases.ts';
import type { TopicMessage } from './topic-message.ts';
import { NOT_UTF8, utf8 } from './utf8.ts';

/** Units of signals as the published use cases give them. */
export const readMessageRules = async (
  registry: Pick<RegistryReader, 'list'>,
  stage: string,
): Promise<MessageRules> => {
  const units = new Map<string, Set<string>>();
  for (const { signals } of await publishedUseCases(registry))
    for (const { name, unit } of signals) units.set(name, (units.get(name) ?? new Set()).add(unit));
  return { stage, unitsOf: (signal) => [...(units.get(signal) ?? [])] };
};

/** A message that is good, or as it is put aside. */
export const checkTopicMessage = (
  { topic, bytes }: TopicMessage,
  rules: MessageRules,
  at: string,
): GoodMessage | QuarantinedMessage => {
  const text = utf8(bytes);
  const checked =
    topic === null
      ? ({ ok: false, class: 'sender', reason: 'it did not come on the topic of a device' } as const)
      : text === null
        ? ({ ok: false, class: 'not-json', reason: NOT_UTF8 } as const)
        : checkMessage(text, topic, rules);
  return checked.ok ? checked : asPutAside({ topic, bytes }, checked, at);
};

/** A message whose name stands for other content already, as it is put aside. */
export const asNameUsed = (message: TopicMessage, { id }: GoodMessage, at: string): QuarantinedMessage =>
  asPutAside(
    message,
    {
      class: 'name-used',
      reason: `${id} landed before with other content; a device counts its messages anew only in a new boot`,
    },
    at,
  );

const asPutAside = (
  { topic, bytes }: TopicMessage,
  why: Pick<QuarantinedMessage, 'class' | 'reason'>,
  at: string,
): QuarantinedMessage => ({
  schema: 'quarantined-message/1',
  at,
  class: why.class,
  reason: why.reason,
  topic,
  bytes: Buffer.from(bytes).toString('base64'),
});
