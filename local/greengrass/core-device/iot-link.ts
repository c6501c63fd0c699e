import mqtt from 'mqtt';
import { topicMatches } from '../ipc/access-control.ts';
import { IpcError } from '../ipc/ipc-errors.ts';
import type { IotLink, Nucleus } from '../ipc/start-ipc.ts';

/** The classic nucleus' spooler in memory: payload bytes it keeps for AWS IoT Core. */
export const CLASSIC_SPOOL_BYTES = 2_621_440;
const CLASSIC_IN_FLIGHT = 5;
const OPERATION_MS = 30_000;

interface Spooled {
  readonly topic: string;
  readonly payload: Buffer;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

export interface DeviceIotLink extends IotLink {
  readonly connected: boolean;
  readonly spooledBytes: number;
  stop(): Promise<void>;
}

/**
 * The device's MQTT session with AWS IoT over mutual TLS, client id = thing name.
 * Classic: a publish is accepted into a spooler in memory (2.5 MB of payload) and sent when there is a connection;
 * QoS 0 is refused offline; a full spooler refuses the new message; the spooler is lost with the process.
 * Lite: nothing is kept; a publish without a connection fails at once.
 */
export const connectIot = (options: {
  readonly host: string;
  readonly port: number;
  readonly thingName: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly nucleus: Nucleus;
  readonly onConnect: () => void;
  readonly log: (line: string) => void;
}): DeviceIotLink => {
  const { nucleus, log } = options;
  const subscriptions = new Set<{ filter: string; listener: (topic: string, payload: Buffer) => void }>();
  const spool: Spooled[] = [];
  let spooledBytes = 0;
  let inFlight = 0;

  const client = mqtt.connect({
    protocol: 'mqtts',
    host: options.host,
    port: options.port,
    clientId: options.thingName,
    ca: options.ca,
    cert: options.cert,
    key: options.key,
    clean: false,
    protocolVersion: 4,
    keepalive: 30,
    connectTimeout: 5_000,
    reconnectPeriod: 1_000,
    // Only what was really sent may be resent by the library; the rest waits in the spooler or fails.
    queueQoSZero: false,
  });

  const send = (message: Spooled): Promise<void> =>
    new Promise((resolve, reject) => {
      client.publish(message.topic, message.payload, { qos: message.qos, retain: message.retain }, (error) =>
        error ? reject(error) : resolve(),
      );
    });

  const drain = (): void => {
    while (client.connected && inFlight < CLASSIC_IN_FLIGHT) {
      const message = spool.shift();
      if (message === undefined) return;
      inFlight += 1;
      send(message)
        .then(() => {
          spooledBytes -= message.payload.length;
        })
        // A failed message goes back to the front, so that order is not kept: as the real spooler.
        .catch(() => spool.unshift(message))
        .finally(() => {
          inFlight -= 1;
          drain();
        });
    }
  };

  client.on('connect', () => {
    log('mqtt: connected');
    options.onConnect();
    drain();
  });
  let lastError = '';
  client.on('error', (error) => {
    if (error.message !== lastError) log(`mqtt: ${error.message}`);
    lastError = error.message;
  });
  let online = false;
  client.on('connect', () => {
    online = true;
    lastError = '';
  });
  client.on('close', () => {
    if (online) log('mqtt: disconnected');
    online = false;
  });
  client.on('message', (topic, payload) => {
    for (const { filter, listener } of subscriptions) if (topicMatches(filter, topic)) listener(topic, payload);
  });

  const withTimeout = <T>(work: Promise<T>, what: string): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new IpcError('ServiceError', `${what} timed out`)), OPERATION_MS);
    });
    return Promise.race([work, late]).finally(() => clearTimeout(timer));
  };

  const spoolOrRefuse = (message: Spooled): void => {
    if (message.qos === 0 && !client.connected)
      throw new IpcError('ServiceError', 'Device is offline. Dropping QoS 0 message.');
    while (spooledBytes + message.payload.length > CLASSIC_SPOOL_BYTES) {
      const zero = spool.findIndex((m) => m.qos === 0);
      if (zero < 0) throw new IpcError('ServiceError', 'Message spool size has exceeded the maximum limit');
      spooledBytes -= spool.splice(zero, 1)[0]?.payload.length ?? 0;
    }
    spool.push(message);
    spooledBytes += message.payload.length;
    drain();
  };

  return {
    get connected() {
      return client.connected;
    },
    get spooledBytes() {
      return spooledBytes;
    },
    publish: async (topic, payload, qos, retain) => {
      const message: Spooled = { topic, payload, qos, retain };
      if (nucleus === 'classic') {
        spoolOrRefuse(message);
        return;
      }
      if (!client.connected) throw new IpcError('ServiceError', '');
      await withTimeout(send(message), `publish to ${topic}`).catch((error: Error) => {
        throw new IpcError('ServiceError', error.message);
      });
    },
    subscribe: async (filter, qos, listener) => {
      if (!client.connected && nucleus === 'lite') throw new IpcError('ServiceError', '');
      const subscription = { filter, listener };
      subscriptions.add(subscription);
      const forget = (): void => {
        subscriptions.delete(subscription);
        if (![...subscriptions].some((s) => s.filter === filter)) client.unsubscribe(filter, () => {});
      };
      try {
        await withTimeout(client.subscribeAsync(filter, { qos }), `subscribe to ${filter}`);
      } catch (error) {
        forget();
        throw new IpcError('ServiceError', (error as Error).message);
      }
      return forget;
    },
    stop: () => client.endAsync(true),
  };
};
