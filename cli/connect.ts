import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import { IoTClient } from '@aws-sdk/client-iot';
import { KMSClient } from '@aws-sdk/client-kms';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskSuccessCommand,
  SFNClient,
} from '@aws-sdk/client-sfn';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { DynamoDBDocumentClient, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { DeploymentConfig, PlaneName } from '#core/contracts/deployment-config.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import { LOCAL_PLANT_DIR, LOCAL_PLANT_FILE, LocalPlant } from '#core/contracts/local-plant.ts';
import { platformNames } from '#core/contracts/names.ts';
import { listKeys } from '#core/lake/list-keys.ts';
import type { LineItem } from '#core/outcomes/line-evidence.ts';
import { callFunction } from '#core/policy/call-again.ts';
import { makeAthena } from './athena.ts';
import { CliError, EXIT } from './errors.ts';
import { readRegistry } from './registry.ts';
import type { Bucket, World } from './world.ts';

export const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const readJson = (file: string, what: string): unknown => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new CliError(`${what} cannot be read: ${(error as Error).message}`, `mend or remove ${file}`, EXIT.notFound);
  }
};

/** The deployment config of a stage. @throws {CliError} when there is none, with the stages there are. */
export const readConfig = (stage: string, root = ROOT): DeploymentConfig => {
  const file = join(root, 'config', `${stage}.json`);
  if (!existsSync(file))
    throw new CliError(
      `there is no stage "${stage}"`,
      `write config/${stage}.json (config/example-four-accounts.json shows how), or use --stage local`,
      EXIT.notFound,
    );
  return parseAs(DeploymentConfig, readJson(file, `config/${stage}.json`), `config/${stage}.json`);
};

/** What the running local plant says. @throws {CliError} when none runs. */
export const readPlant = (dir: string, isAlive: (pid: number) => boolean = alive): LocalPlant => {
  const advice =
    'start it with "npm start" in another terminal; one that was started with --state-dir is found by MILLWRIGHT_PLANT_DIR';
  const file = join(dir, LOCAL_PLANT_FILE);
  if (!existsSync(file)) throw new CliError('the local plant does not run', advice, EXIT.unreachable);
  const plant = parseAs(LocalPlant, readJson(file, LOCAL_PLANT_FILE), LOCAL_PLANT_FILE);
  if (!isAlive(plant.pid))
    throw new CliError(`the local plant is down (process ${plant.pid} is gone)`, advice, EXIT.unreachable);
  return plant;
};

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const bucket = (s3: S3Client, name: string): Bucket => {
  const get: Bucket['get'] = async (key, versionId) => {
    try {
      const object = await s3.send(
        new GetObjectCommand({ Bucket: name, Key: key, ...(versionId ? { VersionId: versionId } : {}) }),
      );
      const body = (await object.Body?.transformToByteArray()) ?? new Uint8Array();
      return { body, versionId: object.VersionId ?? null };
    } catch (error) {
      if (['NoSuchKey', 'NotFound', 'NoSuchVersion'].includes((error as Error).name)) return null;
      throw error;
    }
  };
  return {
    name,
    get,
    find: async (key) => (await get(key))?.body ?? null,
    list: (prefix, options) =>
      listKeys(async ({ after, token }) => {
        const page = await s3.send(
          new ListObjectsV2Command({ Bucket: name, Prefix: prefix, StartAfter: after, ContinuationToken: token }),
        );
        return { keys: (page.Contents ?? []).map((o) => o.Key as string), token: page.NextContinuationToken };
      }, options),
    async put(key, body) {
      await s3.send(new PutObjectCommand({ Bucket: name, Key: key, Body: body }));
    },
  };
};

/** The AWS profile for a plane in an account of its own; undefined: the one of everything else, `AWS_PROFILE`. */
export const profileOf = (plane: PlaneName, env: NodeJS.ProcessEnv = process.env): string | undefined =>
  env[`MILLWRIGHT_PROFILE_${plane.toUpperCase()}`] || undefined;

/** The plane in whose account and region a function is, by its ARN. */
export const planeOf = (config: Pick<DeploymentConfig, 'planes'>, functionArn: string): PlaneName => {
  const [, , , region, account] = functionArn.split(':');
  const found = PlaneName.options.find(
    (p) => config.planes[p].account === account && config.planes[p].region === region,
  );
  if (found === undefined)
    throw new CliError(`${functionArn} is in no plane of the stage`, 'mend "planes" in the config of the stage');
  return found;
};

/**
 * Who the credentials are of, as AWS knows it: the name of a user on a laptop is whatever its owner likes.
 * @throws {CliError} when AWS does not say.
 */
export const callerArn = async (sts: Pick<STSClient, 'send'>): Promise<string> => {
  const { Arn } = await sts.send(new GetCallerIdentityCommand());
  if (Arn === undefined) throw new CliError('AWS does not say who you are', 'check AWS_PROFILE, then run it again');
  return Arn;
};

export interface ConnectOptions {
  readonly stage: string;
  readonly site?: string;
  readonly plantDir?: string;
}

/**
 * Connects to a stage: the local plant by its plant.json, any other by config/<stage>.json and the AWS profile, or the
 * profile of each plane.
 * @throws {CliError} when the stage, the site or the plant is not there.
 */
export const connect = (options: ConnectOptions): World => {
  const config = readConfig(options.stage);
  const plantDir = config.local ? resolve(options.plantDir ?? join(ROOT, LOCAL_PLANT_DIR)) : null;
  const plant = plantDir === null ? null : readPlant(plantDir);
  const site = options.site ?? plant?.site ?? config.sites[0]?.id ?? '';
  if (!config.sites.some((s) => s.id === site))
    throw new CliError(
      `stage ${config.stage} has no site "${site}"`,
      `use one of: ${config.sites.map((s) => s.id).join(', ')}`,
      EXIT.notFound,
    );
  const names = platformNames(config);
  const base = (plane: PlaneName) => ({
    region: config.planes[plane].region,
    ...(plant === null
      ? { profile: profileOf(plane) }
      : { endpoint: plant.endpoints.aws, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } }),
  });
  const s3 = new S3Client({ ...base('data'), forcePathStyle: plant !== null });
  const governance = DynamoDBDocumentClient.from(new DynamoDBClient(base('governance')));
  const mlTables = DynamoDBDocumentClient.from(new DynamoDBClient(base('ml')));
  const plantTables = DynamoDBDocumentClient.from(new DynamoDBClient(base('plant')));
  const bus = new EventBridgeClient(base('governance'));
  // Of one plane for all commands: with profiles, a person is somebody else in each account.
  const sts = new STSClient(base('governance'));
  const sfn = { ml: new SFNClient(base('ml')), plant: new SFNClient(base('plant')) };
  const invoke = async (functionArn: string, payload: unknown): Promise<unknown> => {
    const lambda = new LambdaClient(base(planeOf(config, functionArn)));
    // What commands ask of functions carries its id and may be repeated.
    const { payload: answer, failure } = await callFunction(() =>
      lambda.send(new InvokeCommand({ FunctionName: functionArn, Payload: Buffer.from(JSON.stringify(payload)) })),
    );
    if (failure === null) return answer;
    const error = new Error(failure.errorMessage ?? `${functionArn} failed`);
    error.name = failure.errorType ?? failure.functionError;
    throw error;
  };
  return {
    config,
    names,
    site,
    plant,
    plantDir,
    registry: readRegistry(governance, names.registry.name),
    lake: bucket(s3, names.lakeBucket),
    artifacts: bucket(s3, names.artifactsBucket),
    athena: makeAthena({
      client: new AthenaClient(base('data')),
      workgroup: names.workgroup,
      database: names.glueDatabase,
      sleep,
    }),
    async fleet() {
      const items: Record<string, unknown>[] = [];
      for (let start: Record<string, unknown> | undefined; ; ) {
        const page = await plantTables.send(
          new ScanCommand({ TableName: names.fleetTable.name, ...(start ? { ExclusiveStartKey: start } : {}) }),
        );
        items.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
        if (start === undefined) return items;
      }
    },
    async judgement(modelLine) {
      const items: LineItem[] = [];
      for (let start: Record<string, unknown> | undefined; ; ) {
        const page = await mlTables.send(
          new QueryCommand({
            TableName: names.judgementTable.name,
            KeyConditionExpression: 'pk = :p',
            ExpressionAttributeValues: { ':p': judgementKeys.line(modelLine) },
            ...(start ? { ExclusiveStartKey: start } : {}),
          }),
        );
        items.push(...((page.Items ?? []) as LineItem[]));
        start = page.LastEvaluatedKey;
        if (start === undefined) return items;
      }
    },
    async execution(arn) {
      const client = arn.includes(`:${names.release.name}:`) ? sfn.plant : sfn.ml;
      try {
        const { status } = await client.send(new DescribeExecutionCommand({ executionArn: arn }));
        const { events } = await client.send(
          new GetExecutionHistoryCommand({ executionArn: arn, reverseOrder: true, maxResults: 200 }),
        );
        const entered = events?.find((e) => e.stateEnteredEventDetails !== undefined);
        return { status: status ?? 'UNKNOWN', step: entered?.stateEnteredEventDetails?.name ?? null };
      } catch (error) {
        if ((error as Error).name === 'ExecutionDoesNotExist') return null;
        throw error;
      }
    },
    async announce(type, detail) {
      const result = await bus.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: names.bus.name,
              Source: EVENT_SOURCE,
              DetailType: type,
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      );
      const refused = result.Entries?.find((e) => e.ErrorCode !== undefined);
      if (refused !== undefined)
        throw new CliError(
          `the bus refused ${type}: ${refused.ErrorCode} ${refused.ErrorMessage ?? ''}`,
          'check that you may put events on the bus of this stage',
        );
    },
    invoke,
    async answerTask(token, { approved, by, reason }) {
      if (approved)
        await sfn.plant.send(
          new SendTaskSuccessCommand({ taskToken: token, output: JSON.stringify({ approvedBy: by, reason }) }),
        );
      else
        await sfn.plant.send(
          new SendTaskFailureCommand({ taskToken: token, error: 'Refused', cause: `${by}: ${reason}` }),
        );
    },
    write: (commands) => invoke(names.ledgerWriter.arn, { commands }),
    iot: new IoTClient(base('plant')),
    greengrass: new GreengrassV2Client({
      ...base('plant'),
      ...(plant === null ? {} : { endpoint: plant.endpoints.greengrass }),
    }),
    kms: new KMSClient(base('ml')),
    actor: async () => (plant === null ? callerArn(sts) : `cli:${userInfo().username}`),
    now: () => new Date().toISOString(),
    newId: (prefix) =>
      `${prefix}-${new Date().toISOString().replace(/\D/g, '').slice(0, 14)}-${randomBytes(3).toString('hex')}`,
    sleep,
  };
};
