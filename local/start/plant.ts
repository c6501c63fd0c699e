import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import { KMSClient } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { LOCAL_PLANT_FILE, type LocalPlant } from '#core/contracts/local-plant.ts';
import { LOCAL_CREDENTIALS, startAws } from '../aws/start-aws.ts';
import { startGreengrass } from '../greengrass/start-greengrass.ts';
import { startSageMaker, trainingImage } from '../sagemaker/start-sagemaker.ts';
import { freePort, isAlive, type Service } from '../shared/service.ts';
import { StartError } from './errors.ts';

export const REGION = 'us-east-1';

const Ports = z.object({
  aws: z.int().positive(),
  mqtt: z.int().positive(),
  sagemaker: z.int().positive(),
  greengrass: z.int().positive(),
});
export type Ports = z.infer<typeof Ports>;

/** Writes a file so that a reader sees the old or the new one, never a part. */
export const writeWhole = (file: string, text: string): void => {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
};

/** Ports of this plant, the same at every start: what is stored in it may name them. */
export const readPorts = async (stateDir: string): Promise<Ports> => {
  const file = join(stateDir, 'ports.json');
  if (existsSync(file)) {
    const known = Ports.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (known.success) return known.data;
  }
  const ports = {
    aws: await freePort(),
    mqtt: await freePort(),
    sagemaker: await freePort(),
    greengrass: await freePort(),
  };
  mkdirSync(stateDir, { recursive: true });
  writeWhole(file, JSON.stringify(ports));
  return ports;
};

const LEFTOVER_MS = 8000;

/**
 * Waits for processes that an earlier start left: they end by themselves when it is gone.
 * @returns how many were still there. @throws {StartError} naming those that do not end.
 */
export const awaitLeftovers = async (stateDir: string, waitMs = LEFTOVER_MS): Promise<number> => {
  const file = join(stateDir, LOCAL_PLANT_FILE);
  if (!existsSync(file)) return 0;
  let pids: number[] = [];
  try {
    const plant = JSON.parse(readFileSync(file, 'utf8')) as Partial<LocalPlant>;
    pids = [...(plant.services ?? []), ...(plant.devices ?? [])].flatMap((p) => (p.pid ? [p.pid] : []));
  } catch {
    // A torn file says nothing: the ports decide.
  }
  const isOurs = (pid: number): boolean => {
    if (!isAlive(pid)) return false;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return /launcher\.py|local\/(sagemaker|greengrass)/.test(line);
    } catch {
      return false;
    }
  };
  const found = pids.filter(isOurs);
  for (const until = Date.now() + waitMs; found.some(isOurs); ) {
    if (Date.now() > until)
      throw new StartError(
        `processes of an earlier start are still there: ${found.filter(isOurs).join(', ')}`,
        `end them with "kill ${found.filter(isOurs).join(' ')}", then start again`,
      );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  rmSync(file, { force: true });
  return found.length;
};

/** The services of a plant, running. */
export interface Services {
  readonly aws: Service;
  readonly sagemaker: Service;
  readonly greengrass: Service;
  readonly endpoints: LocalPlant['endpoints'];
}

/** Starts the three services side by side; when one fails those that came up are stopped. */
export const startServices = async (stateDir: string, root: string, ports: Ports): Promise<Services> => {
  const url = (port: number) => `http://127.0.0.1:${port}`;
  const pythonHome = join(root, '.venv');
  const python = join(pythonHome, 'bin', 'python');
  const started = await Promise.allSettled([
    startAws({
      stateDir,
      python,
      port: ports.aws,
      mqttPort: ports.mqtt,
      sagemakerUrl: url(ports.sagemaker),
      greengrassUrl: url(ports.greengrass),
    }),
    startSageMaker({
      stateDir,
      port: ports.sagemaker,
      awsUrl: url(ports.aws),
      images: trainingImage(pythonHome, root),
      pythonHome,
    }),
    startGreengrass({ stateDir, port: ports.greengrass, awsUrl: url(ports.aws), python }),
  ]);
  const failed = started.find((s) => s.status === 'rejected');
  if (failed !== undefined) {
    await Promise.all(started.map((s) => (s.status === 'fulfilled' ? s.value.stop() : undefined)));
    if (/port \d+ .*is taken/.test(failed.reason?.message ?? ''))
      throw new StartError(
        failed.reason.message,
        'end that process, then start again; a plant keeps its ports, because what is stored in it names them',
      );
    throw failed.reason;
  }
  const [aws, sagemaker, greengrass] = started.map((s) => (s as PromiseFulfilledResult<Service>).value) as [
    Service,
    Service,
    Service,
  ];
  return {
    aws,
    sagemaker,
    greengrass,
    endpoints: {
      aws: aws.url,
      sagemaker: sagemaker.url,
      greengrass: greengrass.url,
      mqtt: `127.0.0.1:${ports.mqtt}`,
    },
  };
};

/** SDK clients of the local plant, as root. */
export const clientsOf = (endpoints: LocalPlant['endpoints']) => {
  const base = { region: REGION, endpoint: endpoints.aws, credentials: LOCAL_CREDENTIALS };
  return {
    s3: new S3Client({ ...base, forcePathStyle: true, maxAttempts: 5 }),
    lambda: new LambdaClient(base),
    kms: new KMSClient(base),
    sfn: new SFNClient(base),
    db: DynamoDBDocumentClient.from(new DynamoDBClient(base)),
    greengrass: new GreengrassV2Client({ ...base, endpoint: endpoints.greengrass }),
  };
};
export type Clients = ReturnType<typeof clientsOf>;
