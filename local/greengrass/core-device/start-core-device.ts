import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Service, spawnService } from '../../shared/service.ts';
import type { Nucleus } from '../ipc/start-ipc.ts';
import { askDevice, type DeviceOverview } from './control.ts';
import { CONTROL_SOCKET, socketPathIn } from './paths.ts';
import { isRunning } from './process-guard.ts';

const HERE = dirname(fileURLToPath(import.meta.url));

export interface StartCoreDeviceOptions {
  readonly thingName: string;
  /** The device's disk: everything it keeps lies below it; the same folder again resumes the device. */
  readonly root: string;
  readonly controlPlaneUrl: string;
  readonly awsUrl: string;
  /** HOST:PORT of the MQTT broker over mutual TLS. */
  readonly mqtt: string;
  readonly certPaths: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly nucleus: Nucleus;
  readonly roleArn: string;
  readonly region: string;
  /** Who may assume the role at the local AWS; default: its root. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly nodeBin?: string;
  readonly log?: (line: string) => void;
}

/** A running simulated core device. */
export interface Device extends Service {
  readonly root: string;
  overview(): Promise<DeviceOverview>;
  /** Cuts or gives back everything between the device and the cloud; the plant's own network stays. */
  network(on: boolean): Promise<void>;
  /** Kills the device and all its components at once, as a pulled plug. Start it again on the same root. */
  powerOff(): Promise<void>;
}

/**
 * Starts one simulated Greengrass core device as a process of its own; its log is `<root>/logs/<thing name>.log`.
 * @throws {ServiceError} when it does not come up.
 */
export const startCoreDevice = async (options: StartCoreDeviceOptions): Promise<Device> => {
  const root = resolve(options.root);
  const socket = socketPathIn(root, CONTROL_SOCKET);
  const credentials = options.credentials ?? { accessKeyId: 'test', secretAccessKey: 'test' };
  const service = await spawnService({
    name: options.thingName,
    command: options.nodeBin ?? process.execPath,
    args: [
      join(HERE, 'main.ts'),
      ...['--thing-name', options.thingName, '--root', root, '--control-plane', options.controlPlaneUrl],
      ...['--aws-url', options.awsUrl, '--mqtt', options.mqtt, '--nucleus', options.nucleus],
      ...['--cert', options.certPaths.cert, '--key', options.certPaths.key, '--ca', options.certPaths.ca],
      ...['--role-arn', options.roleArn, '--region', options.region],
    ],
    url: `unix:${socket}`,
    stateDir: root,
    env: {
      PATH: process.env.PATH,
      LANG: process.env.LANG,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS,
    },
    healthy: async () => (await askDevice(socket, { op: 'status' })).thingName === options.thingName,
    stopMs: 30_000,
  });
  const { guardPid } = await askDevice(socket, { op: 'status' });
  const guardEnds = async (): Promise<void> => {
    while (isRunning(guardPid)) await sleep(20);
  };
  options.log?.(`Core device ${options.thingName} (${options.nucleus}) in ${root}`);
  return {
    ...service,
    root,
    overview: () => askDevice(socket, { op: 'status' }),
    network: async (on) => {
      await askDevice(socket, { op: 'network', on });
    },
    powerOff: async () => {
      process.kill(service.pid, 'SIGKILL');
      await service.stop();
      await guardEnds();
    },
    stop: async () => {
      await service.stop();
      await guardEnds();
    },
  };
};
