import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LOCAL_FAULTS_FILE } from '#core/contracts/local-plant.ts';
import { assertPortFree, freePort, type Service, ServiceError, spawnService } from '../shared/service.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, '../..');

/** What the local AWS needs to start. */
export interface StartAwsOptions {
  /** Everything is kept below `<stateDir>/aws`, the log in `<stateDir>/logs/aws.log`. */
  readonly stateDir: string;
  /** The Python with `ministack` and `botocore`; default: the repository's `.venv`. */
  readonly python?: string;
  /** HTTP port of all services. */
  readonly port: number;
  /** Port of the MQTT broker over mutual TLS. */
  readonly mqttPort: number;
  /** Where `sagemaker:*` goes; without it these tasks are refused by name. */
  readonly sagemakerUrl?: string;
  /** Where a Lambda's Greengrass client goes. */
  readonly greengrassUrl?: string;
  /** The `node` that runs Lambda functions; default: the one that runs this. */
  readonly nodeBin?: string;
  readonly log?: (line: string) => void;
}

/** The running local AWS. */
export interface LocalAws extends Service {
  readonly mqttPort: number;
  /** The certificate authority that MQTT clients trust, PEM over HTTP. */
  readonly mqttCaUrl: string;
}

/** What every client of the local AWS uses; `test` is root there. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' } as const;

/**
 * Starts MiniStack with access control, persistence and the MQTT broker, on 127.0.0.1 only.
 * @throws ServiceError when a port is taken, Python or MiniStack is missing, or it does not answer within 60 s.
 */
export async function startAws(options: StartAwsOptions): Promise<LocalAws> {
  const python = options.python ?? join(ROOT, '.venv/bin/python');
  const nodeBin = options.nodeBin ?? process.execPath;
  if (!existsSync(python)) {
    throw new ServiceError(
      `The local AWS needs Python at ${python}, and there is none. Run \`npm start\` once, which makes it.`,
    );
  }
  if (basename(nodeBin) !== 'node' || !existsSync(nodeBin)) {
    throw new ServiceError(
      `Lambda functions need a program called "node"; ${nodeBin} is not one. Name an existing one.`,
    );
  }
  await assertPortFree('The local AWS', options.port);
  await assertPortFree('The MQTT broker of the local AWS', options.mqttPort);
  const stateDir = resolve(options.stateDir);
  const aws = join(stateDir, 'aws');
  mkdirSync(aws, { recursive: true });
  // Faults are of one run of the plant: what was asked of the last one is over.
  rmSync(join(stateDir, LOCAL_FAULTS_FILE), { force: true });
  // Workers of functions are CommonJS scripts below this folder; a package.json above it may say otherwise.
  writeFileSync(join(aws, 'package.json'), '{"type":"commonjs"}\n');
  const url = `http://127.0.0.1:${options.port}`;
  const service = await spawnService({
    name: 'aws',
    command: python,
    args: ['-u', join(HERE, 'launcher.py')],
    url,
    stateDir,
    cwd: aws,
    env: environment(options, aws, url, nodeBin),
    stopMs: 20_000,
    healthy: async (signal) => (await fetch(`${url}/_ministack/ready`, { signal })).ok,
  });
  options.log?.(`Local AWS at ${url}, MQTT at 127.0.0.1:${options.mqttPort}, state in ${aws}`);
  return { ...service, mqttPort: options.mqttPort, mqttCaUrl: `${url}/_ministack/iot/ca.pem` };
}

/** Lambda functions inherit this environment, so only what they may see goes in, never this process's own. */
function environment(options: StartAwsOptions, aws: string, url: string, nodeBin: string): NodeJS.ProcessEnv {
  return {
    PATH: [dirname(nodeBin), process.env.PATH ?? '/usr/bin:/bin'].join(delimiter),
    HOME: process.env.HOME ?? aws,
    LANG: process.env.LANG ?? 'C.UTF-8',
    PYTHONDONTWRITEBYTECODE: '1',
    TMPDIR: join(aws, 'tmp'),
    MILLWRIGHT_AWS_STATE: aws,
    AUTH: 'true',
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(options.port),
    PERSIST_STATE: '1',
    STATE_DIR: join(aws, 'state'),
    S3_PERSIST: '1',
    S3_DATA_DIR: join(aws, 's3'),
    IOT_MTLS_ENABLED: '1',
    IOT_MTLS_PORT: String(options.mqttPort),
    SFTP_ENABLED: '0',
    LOG_LEVEL: 'INFO',
    DOCKER_HOST: `unix://${join(aws, 'no-docker.sock')}`,
    // Custom resources that CDK brings along require the SDK by name.
    NODE_PATH: join(ROOT, 'node_modules'),
    AWS_ENDPOINT_URL: url,
    ...(options.sagemakerUrl === undefined ? {} : { AWS_ENDPOINT_URL_SAGEMAKER: options.sagemakerUrl }),
    ...(options.greengrassUrl === undefined ? {} : { AWS_ENDPOINT_URL_GREENGRASSV2: options.greengrassUrl }),
  };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      mqtt: { type: 'string' },
      state: { type: 'string' },
      python: { type: 'string' },
      sagemaker: { type: 'string' },
      greengrass: { type: 'string' },
    },
  });
  if (values.state === undefined) {
    throw new ServiceError(
      'Name the folder that keeps the state: --state DIR [--port N] [--mqtt N] [--sagemaker URL] [--greengrass URL].',
    );
  }
  const service = await startAws({
    stateDir: values.state,
    port: Number(values.port ?? (await freePort())),
    mqttPort: Number(values.mqtt ?? (await freePort())),
    ...(values.python === undefined ? {} : { python: values.python }),
    ...(values.sagemaker === undefined ? {} : { sagemakerUrl: values.sagemaker }),
    ...(values.greengrass === undefined ? {} : { greengrassUrl: values.greengrass }),
    log: (line) => process.stdout.write(`${line}\n`),
  });
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await service.stop();
    process.exit(0);
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
  // The child is unreferenced, so something has to keep this program waiting for a signal.
  setInterval(() => {}, 60_000);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
}
