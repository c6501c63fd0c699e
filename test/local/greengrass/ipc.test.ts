import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IpcError } from '../../../local/greengrass/ipc/ipc-errors.ts';
import { type IpcHost, type IpcServer, type Nucleus, startIpc } from '../../../local/greengrass/ipc/start-ipc.ts';
import { SdkComponent } from './ipc-fixtures/sdk-component.ts';

jest.setTimeout(60_000);

interface World {
  readonly server: IpcServer;
  readonly states: string[];
  readonly published: { topic: string; payload: string; qos: number }[];
  offline: boolean;
  component(token?: string): Promise<SdkComponent>;
  fromCloud(topic: string, payload: string): void;
}

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const accessControl = {
  'aws.greengrass.ipc.pubsub': { p: { operations: ['*'], resources: ['line/*'] } },
  'aws.greengrass.ipc.mqttproxy': {
    m: {
      operations: ['aws.greengrass#PublishToIoTCore', 'aws.greengrass#SubscribeToIoTCore'],
      resources: ['plant/#'],
    },
  },
};

const world = async (nucleus: Nucleus): Promise<World> => {
  const root = mkdtempSync(join(tmpdir(), 'mw-ipc-'));
  cleanups.push(() => rmSync(root, { recursive: true, force: true }));
  const configuration: Record<string, Record<string, unknown>> = {
    'test.one': { accessControl, speed: '3', nested: { depth: { value: 'deep' } } },
    'test.two': { accessControl: {} },
  };
  const watchers = new Set<{ component: string; listener: (keyPath: readonly string[]) => void }>();
  const subscribers = new Set<{ filter: string; listener: (topic: string, payload: Buffer) => void }>();
  const states: string[] = [];
  const published: World['published'] = [];
  const host: IpcHost = {
    nucleus,
    componentOf: (token) => ({ 'token-1': 'test.one', 'token-2': 'test.two' })[token],
    configurationOf: (name) => configuration[name],
    updateConfiguration: (name, keyPath, value, timestampMs) => {
      if (timestampMs < 1000) return false;
      const target = keyPath[0] === undefined ? (value as object) : { [keyPath[0]]: value };
      configuration[name] = { ...configuration[name], ...target };
      for (const w of watchers) if (w.component === name) w.listener(keyPath);
      return true;
    },
    watchConfiguration: (component, listener) => {
      const watcher = { component, listener };
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    reportState: (name, state) => states.push(`${name} ${state}`),
    detailsOf: (name) =>
      configuration[name] && { componentName: name, version: '1.0.0', state: 'RUNNING', configuration: {} },
    restart: (name) => states.push(`${name} restart`),
    iot: {
      publish: async (topic, payload, qos) => {
        if (made.offline) throw new IpcError('ServiceError', '');
        published.push({ topic, payload: payload.toString('utf8'), qos });
      },
      subscribe: async (filter, _qos, listener) => {
        const subscriber = { filter, listener };
        subscribers.add(subscriber);
        return () => subscribers.delete(subscriber);
      },
    },
  };
  const server = await startIpc({ socketPath: join(root, 'ipc.socket'), host, log: () => undefined });
  cleanups.push(() => server.stop());
  const made: World = {
    server,
    states,
    published,
    offline: false,
    component: async (token = 'token-1') => {
      const component = new SdkComponent(server.socketPath, token);
      cleanups.push(() => component.stop());
      await component.connected();
      return component;
    },
    fromCloud: (topic, payload) => {
      for (const s of subscribers) s.listener(topic, Buffer.from(payload));
    },
  };
  return made;
};

describe('Greengrass IPC with the official SDK', () => {
  it('refuses a client whose token belongs to no component', async () => {
    const { server } = await world('classic');
    const stranger = new SdkComponent(server.socketPath, 'wrong');
    cleanups.push(() => stranger.stop());
    expect((await stranger.connected()).connected).toBe(false);
  });

  it('answers the whole configuration, a part of it, and a leaf inside a map', async () => {
    const component = await (await world('classic')).component();
    expect((await component.call('getConfiguration', { keyPath: [] })).answer).toMatchObject({
      componentName: 'test.one',
      value: { speed: '3' },
    });
    expect((await component.call('getConfiguration', { keyPath: ['nested', 'depth'] })).answer).toMatchObject({
      value: { value: 'deep' },
    });
    expect((await component.call('getConfiguration', { keyPath: ['speed'] })).answer).toMatchObject({
      value: { speed: '3' },
    });
  });

  it('answers ResourceNotFoundError for a key that is not there', async () => {
    const component = await (await world('classic')).component();
    expect((await component.call('getConfiguration', { keyPath: ['absent'] })).error).toBe('ResourceNotFoundError');
  });

  it('tells a subscriber that its configuration changed', async () => {
    const component = await (await world('classic')).component();
    const { id } = await component.call('subscribeToConfigurationUpdate', { keyPath: ['speed'] }, true);
    await component.call('updateConfiguration', { keyPath: ['speed'], timestamp: Date.now(), valueToMerge: '4' });
    expect(await component.event(id)).toEqual({
      configurationUpdateEvent: { componentName: 'test.one', keyPath: ['speed'] },
    });
    expect((await component.call('getConfiguration', { keyPath: ['speed'] })).answer).toMatchObject({
      value: { speed: '4' },
    });
  });

  it('answers ConflictError to an update older than the value', async () => {
    const component = await (await world('classic')).component();
    const late = await component.call('updateConfiguration', { keyPath: ['speed'], timestamp: 1, valueToMerge: '4' });
    expect(late.error).toBe('ConflictError');
  });

  it('lets no component widen its own access', async () => {
    const component = await (await world('classic')).component();
    const wide = { keyPath: ['accessControl'], timestamp: Date.now(), valueToMerge: {} };
    expect((await component.call('updateConfiguration', wide)).error).toBe('InvalidArgumentsError');
  });

  it('carries JSON and binary messages between components', async () => {
    const w = await world('classic');
    const component = await w.component();
    const { id } = await component.call('subscribeToTopic', { topic: 'line/a' }, true);
    await component.call('publishToTopic', {
      topic: 'line/a',
      publishMessage: { jsonMessage: { message: { n: 1 } } },
    });
    expect(await component.event(id)).toEqual({ jsonMessage: { message: { n: 1 }, context: { topic: 'line/a' } } });
    await component.call('publishToTopic', { topic: 'line/a', publishMessage: { binaryMessage: { message: 'raw' } } });
    expect(await component.event(id)).toMatchObject({ binaryMessage: { message: 'raw' } });
  });

  it('answers UnauthorizedError for a topic outside the access control', async () => {
    const w = await world('classic');
    const one = await w.component();
    const two = await w.component('token-2');
    const message = { publishMessage: { jsonMessage: { message: {} } } };
    expect((await one.call('publishToTopic', { topic: 'other/a', ...message })).error).toBe('UnauthorizedError');
    expect((await two.call('publishToTopic', { topic: 'line/a', ...message })).error).toBe('UnauthorizedError');
    expect((await two.call('publishToIoTCore', { topicName: 'plant/a', qos: '1' })).error).toBe('UnauthorizedError');
  });

  it('publishes to and subscribes at AWS IoT through the device', async () => {
    const w = await world('classic');
    const component = await w.component();
    await component.call('publishToIoTCore', { topicName: 'plant/a/report', qos: '1', payload: 'hello' });
    expect(w.published).toEqual([{ topic: 'plant/a/report', payload: 'hello', qos: 1 }]);
    const { id } = await component.call('subscribeToIoTCore', { topicName: 'plant/+/order', qos: '1' }, true);
    w.fromCloud('plant/a/order', 'go');
    expect(await component.event(id)).toEqual({ message: { topicName: 'plant/a/order', payload: 'go' } });
  });

  it('answers ServiceError when the device cannot publish', async () => {
    const w = await world('lite');
    w.offline = true;
    const component = await w.component();
    expect((await component.call('publishToIoTCore', { topicName: 'plant/a', qos: '1', payload: 'x' })).error).toBe(
      'ServiceError',
    );
  });

  it('waits for a component that defers its update, then goes on', async () => {
    const w = await world('classic');
    const component = await w.component();
    const { id } = await component.call('subscribeToComponentUpdates', {}, true);
    let gone = false;
    const asked = w.server.askForUpdate('deployment-1', 30_000).then(() => {
      gone = true;
    });
    const pre = { preUpdateEvent: { deploymentId: 'deployment-1', isGgcRestarting: false } };
    expect(await component.event(id)).toEqual(pre);
    await component.call('deferComponentUpdate', { deploymentId: 'deployment-1', recheckAfterMs: 50 });
    expect(gone).toBe(false);
    expect(await component.event(id)).toEqual(pre);
    await component.call('deferComponentUpdate', { deploymentId: 'deployment-1', recheckAfterMs: 0 });
    await asked;
    w.server.announceUpdated('deployment-1');
    expect(await component.event(id)).toEqual({ postUpdateEvent: { deploymentId: 'deployment-1' } });
  });

  it('knows no component updates and no component details on lite', async () => {
    const component = await (await world('lite')).component();
    for (const [operation, request, stream] of [
      ['subscribeToComponentUpdates', {}, true],
      ['getComponentDetails', { componentName: 'test.one' }, false],
    ] as const)
      expect((await component.call(operation, request, stream)).error).toBe('ServiceError');
  });

  it('reports states, and swallows ERRORED on lite only', async () => {
    const classic = await world('classic');
    const one = await classic.component();
    await one.call('updateState', { state: 'RUNNING' });
    await one.call('updateState', { state: 'ERRORED' });
    expect(classic.states).toEqual(['test.one RUNNING', 'test.one ERRORED']);
    const lite = await world('lite');
    const other = await lite.component();
    await other.call('updateState', { state: 'ERRORED' });
    expect(lite.states).toEqual([]);
  });

  it('drops the connection at more than 10,000 bytes on lite and takes them on classic', async () => {
    const big = { topicName: 'plant/a', qos: '1', payload: 'x'.repeat(20_000) };
    const classic = await (await world('classic')).component();
    expect((await classic.call('publishToIoTCore', big)).error).toBeUndefined();
    const lite = await (await world('lite')).component();
    lite.send('publishToIoTCore', big);
    expect((await lite.line((l) => l.disconnected === true)).disconnected).toBe(true);
  });

  it('refuses a socket path longer than a unix address', async () => {
    const { server } = await world('classic');
    const socketPath = `${server.socketPath}${'x'.repeat(108)}`;
    const host = {} as IpcHost;
    await expect(startIpc({ socketPath, host, log: () => undefined })).rejects.toThrow('choose a shorter root folder');
  });
});
