import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unzipSync } from 'fflate';
import { LineClient, runtimeSocketPath } from '../../../greengrass-components/shared/line-socket.ts';
import { IpcError } from '../../../local/greengrass/ipc/ipc-errors.ts';
import { type IpcServer, startIpc } from '../../../local/greengrass/ipc/start-ipc.ts';
import { ROOT } from '../../../scripts/setup.mjs';
import { MODEL_LINE, type Signer } from '../../support/model-package.ts';

export const STAGE = 'local';
export const SITE = 'plant-a';
export const DEVICE = 'edge-1';

/** Builds what is not built yet. */
export const buildEdgeComponents = (): void => {
  const script = "import('./scripts/build-components.ts').then((m) => m.buildComponents())";
  execFileSync(process.execPath, ['-e', script], { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
};

/** Unpacks a built component as a nucleus does. @returns its folder. */
export const unpackComponent = (name: string, to: string): string => {
  const zip = join(ROOT, '.build', 'components', name, `${name}-linux-${process.arch}.zip`);
  const dir = join(to, name);
  for (const [path, bytes] of Object.entries(unzipSync(readFileSync(zip)))) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), bytes);
  }
  return dir;
};

/** Configuration of the runtime as its recipe and a commissioned device give it. */
export const runtimeConfiguration = ({ keyId, publicPem }: Signer): Record<string, unknown> => ({
  stage: STAGE,
  site: SITE,
  deviceClass: 'x86-64',
  modelLine: MODEL_LINE,
  trustedKeys: { [keyId]: publicPem },
  reportSeconds: '1',
});

export interface EdgeDevice {
  readonly dir: string;
  readonly stateDir: string;
  readonly published: { topic: string; payload: Record<string, unknown> }[];
  /** Whether PublishToIoTCore works. */
  online: boolean;
  readonly configuration: Record<string, Record<string, unknown>>;
  /** Merges values as a deployment does, and tells the component. */
  reconfigure(component: string, values: Record<string, unknown>): void;
  /** Starts a component and waits until it has reported RUNNING. */
  start(component: string, env?: Record<string, string>): Promise<ChildProcess>;
  client(): LineClient;
  adopt(packageDir: string, digest: string): Promise<{ code: number; output: string }>;
  stop(): Promise<void>;
}

/** Built components under the platform's IPC server, without a nucleus around them. */
export const startEdgeDevice = async (configuration: Record<string, Record<string, unknown>>): Promise<EdgeDevice> => {
  const dir = mkdtempSync(join(tmpdir(), 'mw-edge-'));
  const stateDir = join(dir, 'millwright');
  const processes = new Set<ChildProcess>();
  const clients: LineClient[] = [];
  const published: EdgeDevice['published'] = [];
  const running = new Map<string, () => void>();
  const unpacked = new Map<string, string>();
  const watchers = new Map<string, (keyPath: readonly string[]) => void>();
  const state = { online: true };
  const ipc: IpcServer = await startIpc({
    socketPath: join(dir, 'ipc.socket'),
    log: () => {},
    host: {
      nucleus: 'lite',
      componentOf: (token) => token,
      configurationOf: (component) => configuration[component],
      updateConfiguration: () => false,
      watchConfiguration: (component, listener) => {
        watchers.set(component, listener);
        return () => watchers.delete(component);
      },
      reportState: (component) => running.get(component)?.(),
      detailsOf: () => undefined,
      restart: () => {},
      iot: {
        publish: async (topic, payload) => {
          if (!state.online) throw new IpcError('ServiceError', 'offline');
          published.push({ topic, payload: JSON.parse(payload.toString()) as Record<string, unknown> });
        },
        subscribe: async () => () => {},
      },
    },
  });
  const folder = (component: string): string => {
    const known = unpacked.get(component) ?? unpackComponent(component, dir);
    unpacked.set(component, known);
    return known;
  };
  return {
    dir,
    stateDir,
    published,
    configuration,
    get online() {
      return state.online;
    },
    set online(on) {
      state.online = on;
    },
    reconfigure(component, values) {
      configuration[`millwright.${component}`] = { ...configuration[`millwright.${component}`], ...values };
      watchers.get(`millwright.${component}`)?.([]);
    },
    async start(component, env = {}) {
      mkdirSync(stateDir, { recursive: true });
      const up = new Promise<void>((resolve) => running.set(`millwright.${component}`, resolve));
      const child = spawn(process.execPath, [join(folder(component), 'main.mjs'), '--state-dir', stateDir], {
        cwd: dir,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env['PATH'],
          SVCUID: `millwright.${component}`,
          AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: join(dir, 'ipc.socket'),
          AWS_IOT_THING_NAME: `${STAGE}-${SITE}-${DEVICE}`,
          AWS_REGION: 'us-east-1',
          ...env,
        },
      });
      processes.add(child);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => (output += d));
      const ended = once(child, 'exit').then(([code, signal]) => {
        processes.delete(child);
        throw new Error(`${component} ended (${code ?? signal}) before it was up:\n${output}`);
      });
      ended.catch(() => {});
      await Promise.race([up, ended]);
      return child;
    },
    client() {
      const client = new LineClient(runtimeSocketPath(stateDir));
      clients.push(client);
      return client;
    },
    async adopt(packageDir, digest) {
      const child = spawn(process.execPath, [
        join(folder('runtime'), 'adopt.mjs'),
        '--state-dir',
        stateDir,
        '--package',
        packageDir,
        '--digest',
        digest,
      ]);
      processes.add(child);
      let output = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (d) => (output += d));
      const [code] = (await once(child, 'close')) as [number];
      processes.delete(child);
      return { code, output };
    },
    async stop() {
      for (const c of clients) c.close();
      await Promise.all(
        [...processes].map(async (p) => {
          const gone = once(p, 'exit');
          p.kill('SIGKILL');
          await gone;
        }),
      );
      await ipc.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
};

export const until = async (
  what: string,
  check: () => boolean | Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> => {
  for (const end = Date.now() + timeoutMs; !(await check()); ) {
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
