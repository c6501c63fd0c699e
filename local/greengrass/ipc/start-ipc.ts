import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { z } from 'zod';
import { isAllowed, topicMatches } from './access-control.ts';
import { type IpcAnswer, type IpcStream, serveConnection } from './ipc-connection.ts';
import { IpcError } from './ipc-errors.ts';

export type Nucleus = 'classic' | 'lite';

/** The unix address holds 108 bytes with its terminating zero; a longer path is cut silently by some systems. */
export const MAX_SOCKET_PATH_BYTES = 107;
/** Nucleus lite drops a connection that sends a longer message. */
export const LITE_MAX_MESSAGE_BYTES = 10_000;
/** AWS IoT Core's limit of a message. */
export const MAX_MQTT_BYTES = 128 * 1024;

/** The device's link to AWS IoT as IPC needs it. */
export interface IotLink {
  /** @throws {IpcError} ServiceError when the message can neither be sent nor kept. */
  publish(topic: string, payload: Buffer, qos: 0 | 1, retain: boolean): Promise<void>;
  /** @returns the function that ends the subscription. */
  subscribe(filter: string, qos: 0 | 1, listener: (topic: string, payload: Buffer) => void): Promise<() => void>;
}

export interface ComponentDetails {
  readonly componentName: string;
  readonly version: string;
  readonly state: string;
  readonly configuration: unknown;
}

/** What the nucleus does behind the calls. Everything that differs between devices comes through here. */
export interface IpcHost {
  readonly nucleus: Nucleus;
  componentOf(token: string): string | undefined;
  /** Whole configuration of an installed component; undefined when there is none of that name. */
  configurationOf(component: string): unknown;
  /** @returns false when a newer value is already there. */
  updateConfiguration(component: string, keyPath: readonly string[], value: unknown, timestampMs: number): boolean;
  /** @returns the function that ends the watch. */
  watchConfiguration(component: string, listener: (keyPath: readonly string[]) => void): () => void;
  reportState(component: string, state: 'RUNNING' | 'ERRORED'): void;
  detailsOf(component: string): ComponentDetails | undefined;
  restart(component: string): void;
  readonly iot: IotLink;
}

export interface IpcServer {
  readonly socketPath: string;
  /** Asks every subscriber of component updates and waits until none defers; a silent one is taken for a yes after `timeoutMs`. */
  askForUpdate(deploymentId: string, timeoutMs: number): Promise<void>;
  announceUpdated(deploymentId: string): void;
  stop(): Promise<void>;
}

const MQTT = 'aws.greengrass.ipc.mqttproxy';
const PUBSUB = 'aws.greengrass.ipc.pubsub';

const Base64 = z.string().transform((text) => Buffer.from(text, 'base64'));
const Requests = {
  UpdateState: z.object({ state: z.enum(['RUNNING', 'ERRORED']) }),
  GetConfiguration: z.object({ componentName: z.string().optional(), keyPath: z.array(z.string()) }),
  UpdateConfiguration: z.object({
    keyPath: z.array(z.string()).default([]),
    timestamp: z.number(),
    valueToMerge: z.unknown(),
  }),
  SubscribeToConfigurationUpdate: z.object({
    componentName: z.string().optional(),
    keyPath: z.array(z.string()).default([]),
  }),
  PublishToTopic: z.object({
    topic: z.string().min(1),
    publishMessage: z.object({
      jsonMessage: z.object({ message: z.unknown() }).optional(),
      binaryMessage: z.object({ message: z.string().default('') }).optional(),
    }),
  }),
  SubscribeToTopic: z.object({
    topic: z.string().min(1),
    receiveMode: z.enum(['RECEIVE_ALL_MESSAGES', 'RECEIVE_MESSAGES_FROM_OTHERS']).optional(),
  }),
  PublishToIoTCore: z.object({
    topicName: z.string().min(1),
    qos: z.enum(['0', '1']),
    payload: Base64.optional(),
    retain: z.boolean().optional(),
  }),
  SubscribeToIoTCore: z.object({ topicName: z.string().min(1), qos: z.enum(['0', '1']) }),
  SubscribeToComponentUpdates: z.object({}),
  DeferComponentUpdate: z.object({
    deploymentId: z.string(),
    message: z.string().optional(),
    recheckAfterMs: z.number().optional(),
  }),
  GetComponentDetails: z.object({ componentName: z.string() }),
  RestartComponent: z.object({ componentName: z.string() }),
} as const;
type Requests = { [K in keyof typeof Requests]: z.output<(typeof Requests)[K]> };

/** Nucleus lite has no handler for these and answers ServiceError with an empty message. */
const NOT_ON_LITE: ReadonlySet<string> = new Set([
  'SubscribeToComponentUpdates',
  'DeferComponentUpdate',
  'GetComponentDetails',
]);

const startsWith = (path: readonly string[], prefix: readonly string[]): boolean =>
  prefix.every((key, i) => path[i] === key);

const atKeyPath = (value: unknown, keyPath: readonly string[]): unknown => {
  let at: unknown = value;
  for (const key of keyPath) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
};

interface TopicSubscriber {
  readonly stream: IpcStream;
  readonly topic: string;
  readonly othersOnly: boolean;
}

interface UpdateSubscriber {
  readonly stream: IpcStream;
  pending: { readonly deploymentId: string; readonly answer: (recheckAfterMs: number) => void } | undefined;
}

/**
 * Serves Greengrass IPC (event-stream RPC 0.1.0) on a unix socket.
 * @param socketPath at most {@link MAX_SOCKET_PATH_BYTES} bytes.
 * @throws {Error} when the path is too long or cannot be bound.
 */
export const startIpc = async (options: {
  readonly socketPath: string;
  readonly host: IpcHost;
  readonly log: (line: string) => void;
}): Promise<IpcServer> => {
  const { socketPath, host, log } = options;
  if (Buffer.byteLength(socketPath) > MAX_SOCKET_PATH_BYTES)
    throw new Error(
      `the IPC socket path ${socketPath} has ${Buffer.byteLength(socketPath)} bytes, a unix socket takes ${MAX_SOCKET_PATH_BYTES}; choose a shorter root folder`,
    );
  const lite = host.nucleus === 'lite';
  const sockets = new Set<Socket>();
  const topicSubscribers = new Set<TopicSubscriber>();
  const updateSubscribers = new Set<UpdateSubscriber>();

  const authorise = (component: string, service: string, operation: string, resource: string): void => {
    if (isAllowed(host.configurationOf(component), service, `aws.greengrass#${operation}`, resource)) return;
    throw new IpcError(
      'UnauthorizedError',
      `Principal ${component} is not authorized to perform ${service}:aws.greengrass#${operation} on resource ${resource}`,
    );
  };

  type Handlers = {
    [K in keyof Requests]: (stream: IpcStream, request: Requests[K]) => IpcAnswer | Promise<IpcAnswer>;
  };
  const handlers: Handlers = {
    UpdateState: (stream, request) => {
      // Lite maps ERRORED to nothing and answers OK, so a component must fail by its exit code.
      if (!(lite && request.state === 'ERRORED')) host.reportState(stream.component, request.state);
      return { payload: {} };
    },
    GetConfiguration: (stream, request) => {
      const componentName = request.componentName ?? stream.component;
      const value = atKeyPath(host.configurationOf(componentName), request.keyPath);
      if (value === undefined) throw new IpcError('ResourceNotFoundError', 'Key not found');
      const leaf = request.keyPath.at(-1);
      const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
      return { payload: { componentName, value: isMap || leaf === undefined ? value : { [leaf]: value } } };
    },
    UpdateConfiguration: (stream, request) => {
      if (request.keyPath[0] === 'accessControl')
        throw new IpcError(
          'InvalidArgumentsError',
          'Config update is not allowed for following fields [accessControl]',
        );
      const merge = request.valueToMerge;
      const isMap = typeof merge === 'object' && merge !== null && !Array.isArray(merge);
      if (request.keyPath.length === 0 && !isMap)
        throw new IpcError('InvalidArgumentsError', 'The root of a configuration can only be merged with a map');
      if (request.keyPath.length === 0 && Object.hasOwn(merge as object, 'accessControl'))
        throw new IpcError(
          'InvalidArgumentsError',
          'Config update is not allowed for following fields [accessControl]',
        );
      if (!host.updateConfiguration(stream.component, request.keyPath, merge, request.timestamp * 1000))
        throw new IpcError('ConflictError', 'Proposed timestamp is older than the current value');
      return { payload: {} };
    },
    SubscribeToConfigurationUpdate: (stream, request) => {
      const componentName = request.componentName ?? stream.component;
      const configuration = host.configurationOf(componentName);
      if (
        configuration === undefined ||
        (request.keyPath.length > 0 && atKeyPath(configuration, request.keyPath) === undefined)
      )
        throw new IpcError('ResourceNotFoundError', 'Key not found');
      const end = host.watchConfiguration(componentName, (keyPath) => {
        if (!startsWith(keyPath, request.keyPath) && !startsWith(request.keyPath, keyPath)) return;
        stream.send('ConfigurationUpdateEvents', { configurationUpdateEvent: { componentName, keyPath } });
      });
      stream.onClose(end);
      return { payload: {}, streaming: true };
    },
    PublishToTopic: (stream, request) => {
      authorise(stream.component, PUBSUB, 'PublishToTopic', request.topic);
      const { jsonMessage, binaryMessage } = request.publishMessage;
      if ((jsonMessage === undefined) === (binaryMessage === undefined))
        throw new IpcError('InvalidArgumentsError', 'Exactly one of jsonMessage and binaryMessage must be given');
      const context = { topic: request.topic };
      const event =
        jsonMessage === undefined
          ? { binaryMessage: { message: binaryMessage?.message, context } }
          : { jsonMessage: { message: jsonMessage.message, context } };
      for (const subscriber of topicSubscribers) {
        if (!topicMatches(subscriber.topic, request.topic)) continue;
        if (subscriber.othersOnly && subscriber.stream.component === stream.component) continue;
        subscriber.stream.send('SubscriptionResponseMessage', event);
      }
      return { payload: {} };
    },
    SubscribeToTopic: (stream, request) => {
      authorise(stream.component, PUBSUB, 'SubscribeToTopic', request.topic);
      const subscriber: TopicSubscriber = {
        stream,
        topic: request.topic,
        othersOnly: request.receiveMode === 'RECEIVE_MESSAGES_FROM_OTHERS',
      };
      stream.onClose(() => topicSubscribers.delete(subscriber));
      return {
        payload: { topicName: request.topic },
        streaming: true,
        afterwards: () => topicSubscribers.add(subscriber),
      };
    },
    PublishToIoTCore: async (stream, request) => {
      authorise(stream.component, MQTT, 'PublishToIoTCore', request.topicName);
      const payload = request.payload ?? Buffer.alloc(0);
      if (payload.length > MAX_MQTT_BYTES)
        throw new IpcError(
          'ServiceError',
          `The message has ${payload.length} bytes, AWS IoT Core takes ${MAX_MQTT_BYTES}`,
        );
      await host.iot.publish(request.topicName, payload, request.qos === '1' ? 1 : 0, request.retain === true);
      return { payload: {} };
    },
    SubscribeToIoTCore: async (stream, request) => {
      authorise(stream.component, MQTT, 'SubscribeToIoTCore', request.topicName);
      const end = await host.iot.subscribe(request.topicName, request.qos === '1' ? 1 : 0, (topicName, payload) =>
        stream.send('IoTCoreMessage', { message: { topicName, payload: payload.toString('base64') } }),
      );
      stream.onClose(end);
      return { payload: {}, streaming: true };
    },
    SubscribeToComponentUpdates: (stream) => {
      const subscriber: UpdateSubscriber = { stream, pending: undefined };
      stream.onClose(() => {
        updateSubscribers.delete(subscriber);
        subscriber.pending?.answer(0);
      });
      return { payload: {}, streaming: true, afterwards: () => updateSubscribers.add(subscriber) };
    },
    DeferComponentUpdate: (stream, request) => {
      const mine = [...updateSubscribers].filter((s) => s.stream.component === stream.component);
      if (mine.length === 0)
        throw new IpcError('InvalidArgumentsError', 'Component is not subscribed to component update events');
      const asked = mine.filter((s) => s.pending?.deploymentId === request.deploymentId);
      if (asked.length === 0)
        throw new IpcError('ServiceError', 'Time limit to respond to PreComponentUpdateEvent exceeded');
      for (const subscriber of asked) subscriber.pending?.answer(request.recheckAfterMs ?? 0);
      return { payload: {} };
    },
    GetComponentDetails: (_stream, request) => {
      const details = host.detailsOf(request.componentName);
      if (details === undefined)
        throw new IpcError(
          'ResourceNotFoundError',
          `Component with name ${request.componentName} not found in Greengrass`,
        );
      return { payload: { componentDetails: details } };
    },
    RestartComponent: (stream, request) => {
      authorise(stream.component, 'aws.greengrass.Cli', 'RestartComponent', request.componentName);
      if (host.detailsOf(request.componentName) === undefined)
        throw new IpcError(
          'ComponentNotFoundError',
          `Component with name ${request.componentName} not found in Greengrass`,
        );
      host.restart(request.componentName);
      return { payload: { restartStatus: 'SUCCEEDED' } };
    },
  };

  const dispatch = async <K extends keyof Requests>(
    stream: IpcStream,
    name: K,
    request: unknown,
  ): Promise<IpcAnswer> => {
    const parsed = Requests[name].safeParse(request);
    if (!parsed.success)
      throw new IpcError(
        'InvalidArgumentsError',
        `${name}: ${parsed.error.issues.map((i) => `${i.path.join('.')} ${i.message}`).join('; ')}`,
      );
    return handlers[name](stream, parsed.data as Requests[K]);
  };

  const call = async (stream: IpcStream, operation: string, request: unknown): Promise<IpcAnswer> => {
    const name = operation.replace(/^aws\.greengrass#/, '');
    if (!Object.hasOwn(handlers, name) || (lite && NOT_ON_LITE.has(name)))
      throw new IpcError('ServiceError', lite ? '' : `Operation ${operation} is not supported`);
    return dispatch(stream, name as keyof Requests, request);
  };

  // A killed device leaves its socket file behind, and a bind to it would fail.
  rmSync(socketPath, { force: true });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, {
      authenticate: (token) => host.componentOf(token),
      call,
      maxMessageBytes: lite ? LITE_MAX_MESSAGE_BYTES : Number.POSITIVE_INFINITY,
      log,
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });

  const ask = (subscriber: UpdateSubscriber, deploymentId: string, timeoutMs: number): Promise<number> =>
    new Promise((resolve) => {
      const answer = (recheckAfterMs: number): void => {
        clearTimeout(timer);
        subscriber.pending = undefined;
        resolve(recheckAfterMs);
      };
      const timer = setTimeout(() => answer(0), timeoutMs);
      subscriber.pending = { deploymentId, answer };
      subscriber.stream.send('ComponentUpdatePolicyEvents', {
        preUpdateEvent: { deploymentId, isGgcRestarting: false },
      });
    });

  return {
    socketPath,
    askForUpdate: async (deploymentId, timeoutMs) => {
      await Promise.all(
        [...updateSubscribers].map(async (subscriber) => {
          let recheckAfterMs = await ask(subscriber, deploymentId, timeoutMs);
          while (recheckAfterMs > 0) {
            log(`deployment ${deploymentId}: ${subscriber.stream.component} defers for ${recheckAfterMs} ms`);
            await new Promise((resolve) => setTimeout(resolve, recheckAfterMs));
            if (!updateSubscribers.has(subscriber)) return;
            recheckAfterMs = await ask(subscriber, deploymentId, timeoutMs);
          }
        }),
      );
    },
    announceUpdated: (deploymentId) => {
      for (const { stream } of updateSubscribers)
        stream.send('ComponentUpdatePolicyEvents', { postUpdateEvent: { deploymentId } });
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(socketPath, { force: true });
    },
  };
};
