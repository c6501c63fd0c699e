import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';

const Message = z.looseObject({ cameOn: z.string() });

/**
 * Reads what a rule of the plant's IoT Core sent on: the message with the topic it came on. The IoT policy ties the
 * topic to the device's certificate; a message that names another device is refused, for a device speaks only for itself.
 * @param topicOf the topic of such messages of a device.
 * @throws {ContractError} when it is no such message. @throws {Error} when it speaks for another device.
 */
export const readDeviceMessage = <T extends { readonly site: string; readonly device: string }>(
  schema: z.ZodType<T>,
  body: unknown,
  stage: string,
  topicOf: (stage: string, site: string, device: string) => string,
): T => {
  const { cameOn: topic, ...rest } = parseAs(Message, body, 'message of a topic rule');
  const message = parseAs(schema, rest, `message on ${topic}`);
  const own = topicOf(stage, message.site, message.device);
  if (topic !== own)
    throw new Error(`a message of ${message.site}/${message.device} came on ${topic}, expected ${own}`);
  return message;
};
