import type { QuarantinedMessage } from '#core/contracts/quarantine.ts';
import { UseCase } from '#core/contracts/use-case.ts';
import { checkMessage, type GoodMessage, type MessageRules } from '#core/lake/check-message.ts';
import type { RegistryReader } from '#core/ports/registry.ts';
import type { TopicMessage } from './topic-message.ts';
import { NOT_UTF8, utf8 } from './utf8.ts';

/** Units of signals as the published use cases give them, newest of each. One that cannot be read gives none. */
export const readMessageRules = async (
  registry: Pick<RegistryReader, 'list'>,
  stage: string,
): Promise<MessageRules> => {
  const units = new Map<string, Set<string>>();
  for (const { body } of await registry.list('use-case')) {
    const useCase = UseCase.safeParse(body);
    if (!useCase.success) continue;
    for (const { name, unit } of useCase.data.signals) units.set(name, (units.get(name) ?? new Set()).add(unit));
  }
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
  if (checked.ok) return checked;
  return {
    schema: 'quarantined-message/1',
    at,
    class: checked.class,
    reason: checked.reason,
    topic,
    bytes: Buffer.from(bytes).toString('base64'),
  };
};

/** A message whose name stands for other content already, as it is put aside. */
export const asNameUsed = ({ topic, bytes }: TopicMessage, { id }: GoodMessage, at: string): QuarantinedMessage => ({
  schema: 'quarantined-message/1',
  at,
  class: 'name-used',
  reason: `${id} landed before with other content; a device counts its messages anew only in a new boot`,
  topic,
  bytes: Buffer.from(bytes).toString('base64'),
});
