import { mkdirSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { exitWithParent } from '../../shared/service.ts';
import { deviceApiClient } from '../device-api.ts';
import { startIpc } from '../ipc/start-ipc.ts';
import { type ControlRequest, type DeviceOverview, serveControl } from './control.ts';
import { connectIot } from './iot-link.ts';
import { NetworkGate } from './network-gate.ts';
import { NUCLEUS_VERSION, SimulatedNucleus } from './nucleus.ts';
import { CONTROL_SOCKET, socketPathIn } from './paths.ts';
import { startGuard } from './process-guard.ts';
import { startTokenExchange, type TokenExchange } from './token-exchange.ts';

const Arguments = z.strictObject({
  'thing-name': z.string().min(1),
  root: z.string().min(1),
  'control-plane': z.url(),
  'aws-url': z.url(),
  mqtt: z.string().regex(/^[^:]+:\d+$/, 'HOST:PORT'),
  cert: z.string(),
  key: z.string(),
  ca: z.string(),
  nucleus: z.enum(['classic', 'lite']).default('classic'),
  'role-arn': z.string().startsWith('arn:'),
  region: z.string().default('us-east-1'),
});

const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'aarch64', ia32: 'x86', arm: 'arm' };

/** One simulated Greengrass core device, until SIGTERM or the end of its standard input. */
const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: Object.fromEntries(Object.keys(Arguments.shape).map((name) => [name, { type: 'string' as const }])),
  });
  const parsed = Arguments.safeParse(values);
  if (!parsed.success)
    throw new Error(`core device: ${parsed.error.issues.map((i) => `--${i.path.join('.')} ${i.message}`).join('; ')}`);
  const args = parsed.data;
  const root = resolve(args.root);
  const { nucleus, region } = args;
  const thingName = args['thing-name'];
  mkdirSync(join(root, 'logs'), { recursive: true });
  const log = (line: string): void => {
    process.stdout.write(`${new Date().toISOString()} ${line}\n`);
  };
  const accessKeyId = process.env.AWS_ACCESS_KEY_ID;
  const secretAccessKey = process.env.AWS_SECRET_ACCESS_KEY;
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new Error('core device: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of who may assume the device role');

  const guard = await startGuard();
  const gate = new NetworkGate();
  const [mqttHost = '', mqttPort = ''] = args.mqtt.split(':');
  const awsUrl = await gate.relayUrl(args['aws-url']);
  const controlPlaneUrl = await gate.relayUrl(args['control-plane']);
  const relayedMqttPort = await gate.relay(mqttHost, Number(mqttPort));

  const ipcSocket = socketPathIn(root, nucleus === 'lite' ? 'gg-ipc.socket' : 'ipc.socket');
  let tokens: TokenExchange | undefined;
  const s3 = new S3Client({
    endpoint: awsUrl,
    region,
    forcePathStyle: true,
    credentials: () => (tokens as TokenExchange).credentials(),
    maxAttempts: 2,
  });
  const environment: Record<string, string> = {
    PATH: [dirname(process.execPath), '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'].join(':'),
    LANG: 'C.UTF-8',
    HOME: root,
    AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT: ipcSocket,
    AWS_IOT_THING_NAME: thingName,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    GGC_VERSION: NUCLEUS_VERSION[nucleus],
    GG_ROOT_CA_PATH: resolve(args.ca),
    // The one thing a real device does not have: its AWS is not at the public address.
    AWS_ENDPOINT_URL: awsUrl,
    ...(process.env.NODE_EXTRA_CA_CERTS === undefined ? {} : { NODE_EXTRA_CA_CERTS: process.env.NODE_EXTRA_CA_CERTS }),
  };
  const platform = {
    os: 'linux',
    architecture: ARCHITECTURE[arch()] ?? arch(),
    runtime: nucleus === 'lite' ? 'aws_nucleus_lite' : 'aws_nucleus_classic',
  };
  const device = new SimulatedNucleus({
    thingName,
    root,
    nucleus,
    platform,
    api: deviceApiClient(controlPlaneUrl, thingName),
    s3,
    guard,
    environment,
    credentialsUrl: () => (tokens as TokenExchange).url,
    log,
  });
  tokens = await startTokenExchange({
    stsUrl: awsUrl,
    region,
    roleArn: args['role-arn'],
    thingName,
    bootstrap: { accessKeyId, secretAccessKey },
    mayHaveCredentials: (token) => device.mayHaveCredentials(token),
    log,
  });
  const exchange = tokens;

  const iot = connectIot({
    host: '127.0.0.1',
    port: relayedMqttPort,
    thingName,
    ca: readFileSync(args.ca),
    cert: readFileSync(args.cert),
    key: readFileSync(args.key),
    nucleus,
    onConnect: () => device.reconnected(),
    log,
  });
  const ipc = await startIpc({ socketPath: ipcSocket, host: { ...device.ipcHost, iot }, log });

  const control = (request: ControlRequest): DeviceOverview => {
    if (request.op === 'network') {
      gate.set(request.on);
      log(`network ${request.on ? 'on' : 'off'}`);
    }
    // Like a pulled plug: no word to anyone; the guard kills the components.
    if (request.op === 'power-off') process.kill(process.pid, 'SIGKILL');
    return {
      thingName,
      nucleus,
      pid: process.pid,
      guardPid: guard.pid,
      network: gate.isOn,
      mqttConnected: iot.connected,
      spooledBytes: iot.spooledBytes,
      components: device.overview,
    };
  };
  const closeControl = await serveControl(socketPathIn(root, CONTROL_SOCKET), control);

  let stopping: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    log('stopping');
    await device.stop();
    await ipc.stop();
    await exchange.stop();
    await iot.stop();
    await gate.close();
    await closeControl();
    s3.destroy();
    await guard.close();
    process.exit(0);
  };
  const stopOnce = (): Promise<void> => {
    stopping ??= stop();
    return stopping;
  };
  process.on('SIGTERM', stopOnce).on('SIGINT', stopOnce);
  exitWithParent(stopOnce);
  device.start(ipc);
  log(`${thingName} (${nucleus} ${NUCLEUS_VERSION[nucleus]}) is up`);
};

try {
  await main();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}
