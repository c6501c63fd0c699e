import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { REGISTRY_CLASS_INDEX, registryKeys } from '../../../core/contracts/ledger.ts';
import { LastSeen, LOCAL_LAST_SEEN_FILE } from '../../../core/contracts/local-plant.ts';
import type { LocalAws } from '../../../local/aws/start-aws.ts';
import { noteHoldings, readCut, readHoldings, tellKept } from '../../../local/start/holdings.ts';
import { client, startForTest, stateFolder, until } from '../aws/local-aws.ts';

jest.setTimeout(120_000);

const TABLE = 'registry';
const { dir, remove } = stateFolder();
let aws: LocalAws;
let greengrass: Server;
let deployments = 2;

const deps = () => ({
  stateDir: dir,
  db: DynamoDBDocumentClient.from(new DynamoDBClient(client(aws.url))),
  greengrass: new GreengrassV2Client({
    ...client(aws.url),
    endpoint: `http://127.0.0.1:${(greengrass.address() as { port: number }).port}`,
  }),
  registryTable: TABLE,
  awsPid: aws.pid,
  now: () => new Date().toISOString(),
});
const head = (chain: string, sequence: number) =>
  deps().db.send(
    new PutCommand({
      TableName: TABLE,
      Item: {
        ...registryKeys.head(chain),
        chain,
        sequence,
        gsi1pk: registryKeys.classIndex('chain-head'),
        gsi1sk: chain,
      },
    }),
  );

const savedAt = (): number => {
  try {
    return statSync(join(dir, 'aws/saved')).mtimeMs;
  } catch {
    return 0;
  }
};

beforeAll(async () => {
  greengrass = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ deployments: Array.from({ length: deployments }, () => ({})) }));
  });
  await new Promise<void>((resolve) => greengrass.listen(0, '127.0.0.1', resolve));
  aws = await startForTest(dir);
});
afterAll(async () => {
  await aws?.stop();
  greengrass?.close();
  remove();
});

test('what a plant holds is noted, and after a kill the next start says what of it is lost', async () => {
  expect(readCut(dir)).toBeNull();
  expect(await tellKept(null, deps(), true)).toEqual([]);
  await deps().db.send(
    new CreateTableCommand({
      TableName: TABLE,
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['pk', 'sk', 'gsi1pk', 'gsi1sk'].map((AttributeName) => ({
        AttributeName,
        AttributeType: 'S',
      })),
      GlobalSecondaryIndexes: [
        {
          IndexName: REGISTRY_CLASS_INDEX,
          KeySchema: [
            { AttributeName: 'gsi1pk', KeyType: 'HASH' },
            { AttributeName: 'gsi1sk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
  const s3 = new S3Client({ ...client(aws.url), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }));
  await head('plant-a/raw-object', 40);
  const filled = Date.now();
  for (let since = filled, round = 0; round < 2; round++) since = await until(savedAt, (at) => at > since);

  await head('plant-a/raw-object', 43);
  await head('plant-a/decision-object', 2);
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'a', Body: 'x' }));
  const stop = new AbortController();
  const noting = noteHoldings(deps(), stop.signal, 100);
  const noted = await until(
    () => {
      try {
        return LastSeen.parse(JSON.parse(readFileSync(join(dir, LOCAL_LAST_SEEN_FILE), 'utf8')));
      } catch {
        return null;
      }
    },
    (seen) => seen?.buckets.lake === 1 && seen.chains['plant-a/raw-object'] === 43,
  );
  expect(noted).toMatchObject({ chains: { 'plant-a/decision-object': 2 }, tables: { registry: 2 }, deployments: 2 });
  process.kill(aws.pid, 'SIGKILL');
  stop.abort();
  await noting;
  await aws.stop();

  const cut = readCut(dir);
  expect(cut?.seen).toEqual(LastSeen.parse(JSON.parse(readFileSync(join(dir, LOCAL_LAST_SEEN_FILE), 'utf8'))));
  deployments = 1;
  aws = await startForTest(dir);
  const [kept, lost] = await tellKept(cut, deps(), true);
  const counted = (lines: string | undefined): number => Number(/(\d+) ledger/.exec(lines ?? '')?.[1] ?? 0);
  expect(counted(kept) + counted(lost)).toBe(45);
  expect(kept).toMatch(/^kept: .*1 object in S3, 1 deployment$/);
  expect(lost).toMatch(/^lost: .*1 deployment, written /);
});

test('a start after a proper end has nothing to tell', async () => {
  const seen = await until(
    () => readHoldings(deps()),
    (held) => held !== null,
  );
  writeFileSync(join(dir, LOCAL_LAST_SEEN_FILE), JSON.stringify(seen));
  expect(await tellKept(readCut(dir), deps(), false)).toEqual([]);
  expect(await tellKept(readCut(dir), deps(), true)).toEqual([expect.stringMatching(/^kept: /), 'lost: nothing']);
});
