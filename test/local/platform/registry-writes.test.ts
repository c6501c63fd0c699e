import {
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { IAMClient, ListRolesCommand } from '@aws-sdk/client-iam';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { decisionsPrefix } from '#core/contracts/decision.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { LedgerRequest, registryKeys } from '#core/contracts/ledger.ts';
import { type ClientOptions as As, become, type DeployedPlant, deployPlant } from './deployed-plant.ts';

jest.setTimeout(300_000);

/** Whose device's credentials the device role has here. */
const THING = 'local-plant-a-edge-1';

let plant: DeployedPlant;
/** Client options by role: what each role of the stacks can do, tried with its own credentials. */
let roles: Map<string, As>;

beforeAll(async () => {
  plant = await deployPlant();
  const { Roles, IsTruncated } = await new IAMClient(plant.client).send(new ListRolesCommand({ MaxItems: 1000 }));
  if (IsTruncated) throw new Error('there are more than 1000 roles; read the next page too');
  roles = new Map();
  for (const role of Roles ?? [])
    if (role.RoleName?.startsWith(`${plant.names.prefix}-`)) roles.set(role.RoleName, await become(plant, role, THING));
});

afterAll(() => plant?.stop());

const DENIED = ['AccessDenied', 'AccessDeniedException'];

/** True when the call was let through, false when access was denied; any other end is an error. */
const may = async (call: () => Promise<unknown>): Promise<boolean> => {
  try {
    await call();
    return true;
  } catch (error) {
    if (DENIED.includes((error as Error).name)) return false;
    throw error;
  }
};

/** Every way to change an item of a table, each as one that would succeed. */
const writes = (table: string, db: DynamoDBClient): Record<string, () => Promise<unknown>> => {
  const key = { pk: { S: 'TEST#someone' }, sk: { S: 'wrote' } };
  return {
    PutItem: () => db.send(new PutItemCommand({ TableName: table, Item: key })),
    UpdateItem: () =>
      db.send(
        new UpdateItemCommand({
          TableName: table,
          Key: key,
          UpdateExpression: 'SET forged = :f',
          ExpressionAttributeValues: { ':f': { BOOL: true } },
        }),
      ),
    BatchWriteItem: () =>
      db.send(new BatchWriteItemCommand({ RequestItems: { [table]: [{ PutRequest: { Item: key } }] } })),
    'TransactWriteItems Put': () =>
      db.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: table, Item: key } }] })),
    'TransactWriteItems Delete': () =>
      db.send(new TransactWriteItemsCommand({ TransactItems: [{ Delete: { TableName: table, Key: key } }] })),
    DeleteItem: () => db.send(new DeleteItemCommand({ TableName: table, Key: key })),
    'ExecuteStatement INSERT': () =>
      db.send(
        new ExecuteStatementCommand({ Statement: `INSERT INTO "${table}" VALUE {'pk': 'TEST#someone', 'sk': 'ql'}` }),
      ),
    'ExecuteStatement DELETE': () =>
      db.send(
        new ExecuteStatementCommand({ Statement: `DELETE FROM "${table}" WHERE pk = 'TEST#someone' AND sk = 'ql'` }),
      ),
  };
};

const allowedWrites = async (as: As): Promise<string[]> => {
  const allowed: string[] = [];
  for (const [name, write] of Object.entries(writes(plant.names.registry.name, new DynamoDBClient(as))))
    if (await may(write)) allowed.push(name);
  return allowed;
};

/** Names of the roles that a call succeeds for. */
const whoMay = async (call: (as: As) => Promise<unknown>): Promise<string[]> => {
  const names: string[] = [];
  for (const [name, as] of roles) if (await may(() => call(as))) names.push(name);
  return names.sort();
};

test('every write that the other tests try succeeds for who may do everything', async () => {
  const names = Object.keys(writes('', new DynamoDBClient(plant.client)));
  await expect(allowedWrites(plant.client)).resolves.toEqual(names);
});

test('no role but the ledger writer changes the registry, in any way', async () => {
  const can: Record<string, string[]> = {};
  for (const [name, as] of roles) {
    const allowed = await allowedWrites(as);
    if (allowed.length > 0) can[name] = allowed;
  }
  expect(roles.size).toBeGreaterThanOrEqual(30);
  expect(can).toEqual({ [plant.names.ledgerWriter.name]: ['PutItem', 'TransactWriteItems Put'] });
});

const invoke = async (name: string, payload: unknown): Promise<{ error: string | undefined; answer: string }> => {
  const { FunctionError, Payload } = await new LambdaClient(plant.client).send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  return { error: FunctionError, answer: Buffer.from(Payload ?? []).toString() };
};

test('the ledger writer, asked to, writes a record, and who may read by class and by edge reads it', async () => {
  const record = { class: 'model-line', id: 'permissions/plant-a', body: { schema: 'test/1' } } as const;
  const request = LedgerRequest.parse({
    commands: [
      {
        schema: 'ledger-command/1',
        commandId: 'permissions/1',
        site: 'plant-a',
        actor: 'person:tester',
        reason: 'the one way in is open',
        record,
        edges: [{ from: 'model-line:permissions/plant-a', rel: 'used', to: 'use-case:permissions' }],
      },
    ],
  });
  await expect(invoke(plant.names.ledgerWriter.name, request)).resolves.toMatchObject({ error: undefined });
  const { pk, sk } = registryKeys.latest(record.class, record.id);
  const { Item } = await new DynamoDBClient(plant.client).send(
    new GetItemCommand({ TableName: plant.names.registry.name, Key: { pk: { S: pk }, sk: { S: sk } } }),
  );
  expect(Item?.['version']).toEqual({ N: '1' });
  const query = `${plant.names.prefix}-query`;
  const models = await invoke(query, { rawPath: '/models', queryStringParameters: {} });
  expect(models).toEqual({ error: undefined, answer: expect.stringContaining(record.id) });
  const lineage = await invoke(query, {
    rawPath: '/lineage',
    queryStringParameters: { node: `model-line:${record.id}` },
  });
  expect(lineage).toEqual({ error: undefined, answer: expect.stringContaining('use-case:permissions') });
});

describe('objects of the lake', () => {
  const run = { site: 'plant-a', asset: 'spindle-1', run: 'r-1', first: 1, last: 9 };
  const s3 = (as: As): S3Client => new S3Client({ ...as, forcePathStyle: true });
  const get = (key: string) => (as: As) =>
    s3(as).send(new GetObjectCommand({ Bucket: plant.names.lakeBucket, Key: key }));
  const put = (key: string) => (as: As) =>
    s3(as).send(new PutObjectCommand({ Bucket: plant.names.lakeBucket, Key: key, Body: 'x' }));
  const of = (...names: string[]): string[] => names.map((name) => `${plant.names.prefix}-${name}`);

  const readers = async (key: string): Promise<string[]> => {
    await put(key)(plant.client);
    return whoMay(get(key));
  };

  test('sealed features are read by evaluation alone: no job that trains or quantizes sees them', async () => {
    await expect(readers('features/split=test/fs/snapshot/part-00000.parquet')).resolves.toEqual(of('evaluate'));
  });

  test('features for training are read by training jobs alone', async () => {
    await expect(readers('features/split=train/fs/snapshot/part-00000.parquet')).resolves.toEqual(of('training'));
  });

  test('features for calibration are read by training and quantization jobs', async () => {
    await expect(readers('features/split=calibration/fs/snapshot/part-00000.parquet')).resolves.toEqual(
      of('processing', 'training'),
    );
  });

  test('frames and decisions come from devices, features and tables from the functions that make them', async () => {
    const FRAMES = lakeKeys.frames({ ...run, thing: THING });
    const DECISIONS = `${decisionsPrefix('local', 'plant-a', 'edge-1')}x`;
    const writers: Record<string, string[]> = {};
    for (const key of [
      FRAMES,
      DECISIONS,
      'raw/events/site=plant-a/x',
      'decisions/x',
      'raw/observations/site=plant-a/local-plant-a-edge-1/x',
      'telemetry/tier=hot/x',
      'curated/observations/tier=hot/x',
      'curated/observations/tier=cold/x',
      'compactions/x',
      'snapshots/x',
      'features/split=test/x',
      'quarantine/x',
      'inbox/events/x',
      'anywhere-else/x',
    ])
      writers[key] = await whoMay(put(key));
    expect(writers).toEqual({
      [FRAMES]: of('device'),
      [DECISIONS]: of('device'),
      'raw/events/site=plant-a/x': of('plant-events'),
      'decisions/x': of('record-decisions'),
      'raw/observations/site=plant-a/local-plant-a-edge-1/x': of('device'),
      'telemetry/tier=hot/x': of('batch-writer', 'quarantine'),
      'curated/observations/tier=hot/x': of('batch-writer', 'quarantine'),
      'curated/observations/tier=cold/x': of('compact'),
      'compactions/x': of('compact'),
      'snapshots/x': of('snapshot-dataset'),
      'features/split=test/x': of('materialise'),
      'quarantine/x': of('batch-writer', 'plant-events', 'record-decisions', 'register-upload'),
      // People of the plant drop files there, by rights of their own.
      'inbox/events/x': [],
      'anywhere-else/x': [],
    });
  });

  test.each([
    ['frames of another device', lakeKeys.frames({ ...run, thing: `${THING}0` })],
    ['frames as a historian does', lakeKeys.frames(run)],
    ['frames of another site', lakeKeys.frames({ ...run, site: 'elsewhere', thing: THING })],
    ['decisions of another device', `${decisionsPrefix('local', 'plant-a', 'edge-10')}x`],
    ['decisions of another site', `${decisionsPrefix('local', 'elsewhere', 'edge-1')}x`],
  ])('a device puts no %s', async (_, key) => {
    await expect(whoMay(put(key))).resolves.toEqual([]);
  });
});
