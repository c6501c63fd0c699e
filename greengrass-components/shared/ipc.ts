import { QOS, ReportedLifecycleState } from 'aws-iot-device-sdk-v2/dist/greengrasscoreipc/model.js';
import { createClient } from 'aws-iot-device-sdk-v2/dist/greengrasscoreipc.js';
import type { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';

/** The nucleus refused, or said nothing in time. */
export class IpcError extends Error {
  readonly code: string;
  constructor(operation: string, code: string, detail: string) {
    super(`Greengrass IPC ${operation}: ${code}${detail === '' ? '' : `, ${detail}`}`);
    this.name = 'IpcError';
    this.code = code;
  }
}

/** What a component asks of its nucleus. */
export interface Nucleus {
  /** Own configuration as the deployment left it. @throws {IpcError | ContractError} */
  configuration<S extends z.ZodType>(schema: S): Promise<z.output<S>>;
  /** Tells the nucleus that the component is up: a deployment waits for it. */
  running(): Promise<void>;
  /** Calls back whenever a deployment changed the configuration; the classic nucleus does not restart for that. */
  onConfiguration(changed: () => void): Promise<void>;
  /** MQTT to AWS IoT, QoS 1. Rejects when the nucleus does not take the message. */
  publish(topic: string, payload: string): Promise<void>;
}

const TIMEOUT_MS = 10_000;

const within = async <T>(operation: string, work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  // The SDK leaves promises open for ever when the nucleus drops the connection.
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new IpcError(operation, 'NoAnswer', `none within ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (error instanceof IpcError) throw error;
    const service = (error as { serviceError?: { _errorCode?: string; _message?: string; message?: string } })
      .serviceError;
    const code = service?._errorCode ?? (error as { name?: string }).name ?? 'Error';
    throw new IpcError(operation, code, service?._message ?? service?.message ?? (error as Error).message);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * Connects to the nucleus that started this process (its environment names socket and token).
 * @param onLost called once when the connection ends: the process must end with an exit code other than 0, so that the
 *   nucleus, should it live, starts it again.
 * @throws {IpcError}
 */
export const connectNucleus = async (onLost: () => void): Promise<Nucleus> => {
  const client = createClient();
  await within('connect', client.connect());
  client.on('disconnection', onLost);
  return {
    async configuration(schema) {
      const answer = await within('GetConfiguration', client.getConfiguration({ keyPath: [] }));
      const { accessControl: _, ...value } = (answer.value ?? {}) as Record<string, unknown>;
      return parseAs(schema, value, 'the configuration of the component');
    },
    async running() {
      await within('UpdateState', client.updateState({ state: ReportedLifecycleState.RUNNING }));
    },
    async onConfiguration(changed) {
      const stream = client.subscribeToConfigurationUpdate({ keyPath: [] });
      stream.on('message', changed);
      await within('SubscribeToConfigurationUpdate', stream.activate());
    },
    async publish(topic, payload) {
      await within(
        'PublishToIoTCore',
        client.publishToIoTCore({ topicName: topic, qos: QOS.AT_LEAST_ONCE, payload: Buffer.from(payload) }),
      );
    },
  };
};
