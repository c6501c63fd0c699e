import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { digestTopic } from '#core/contracts/device.ts';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { DriftFold } from '#core/contracts/drift-fold.ts';
import { judgementKeys } from '#core/contracts/judgement.ts';
import { artifactKeys, lakeKeys } from '#core/contracts/lake.ts';
import { type RecordClass, registryQueries } from '#core/contracts/ledger.ts';
import { qualityTopic } from '#core/contracts/quality.ts';
import { foldChain, verifyFolds, windowName } from '#core/drift/replay/fold-chain.ts';
import { digestParts } from '#core/drift/sketch/digest-parts.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import {
  baseline,
  DEVICE,
  dayAt,
  FAR,
  historyOf,
  LINE,
  objectsOf,
  PACKAGE,
  SAME,
} from '../../support/drift-history.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';

jest.setTimeout(300_000);

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;
const recorded = historyOf([SAME, SAME, FAR, FAR, FAR]);
const windows = [...recorded.windows.values()];

let plant: DeployedPlant;
let db: DynamoDBDocumentClient;
let s3: S3Client;

const invoke = async (name: string, payload: unknown): Promise<unknown> => {
  const answer = await new LambdaClient(plant.client).send(
    new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(payload)) }),
  );
  const text = Buffer.from(answer.Payload ?? []).toString();
  if (answer.FunctionError !== undefined) throw new Error(text);
  return JSON.parse(text);
};
const publish = (topic: string, document: unknown) =>
  new IoTDataPlaneClient(plant.client).send(
    new PublishCommand({ topic, qos: 1, payload: Buffer.from(JSON.stringify(document)) }),
  );
const send = async (window: DriftWindow) => {
  for (const part of digestParts(window)) await publish(digestTopic('local', 'plant-a', 'edge-1'), part);
};
const until = async <T>(ask: () => Promise<T>, good: (t: T) => boolean, seconds = 60): Promise<T> => {
  for (const from = Date.now(); ; await sleep(300)) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() - from > seconds * 1000) throw new Error(`after ${seconds} s it is still ${JSON.stringify(answer)}`);
  }
};
const folds = async (): Promise<readonly DriftFold[]> => {
  const Bucket = plant.names.lakeBucket;
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: lakeKeys.driftEvidences(DEVICE) }));
  const texts = (Contents ?? []).map(async ({ Key }) =>
    (await s3.send(new GetObjectCommand({ Bucket, Key }))).Body?.transformToString(),
  );
  return (await Promise.all(texts)).map((text) => DriftFold.parse(JSON.parse(text ?? '')));
};
/** Of two that judge at once the second leaves an object that the chain does not name. */
const chainNow = async (): Promise<readonly DriftFold[]> => foldChain(await folds());
const latest = async (recordClass: RecordClass, id: string) =>
  (await db.send(new GetCommand({ TableName: plant.names.registry.name, ...registryQueries.latest(recordClass, id) })))
    .Item?.['body'] as Record<string, unknown> | undefined;

beforeAll(async () => {
  plant = await deployPlant();
  db = DynamoDBDocumentClient.from(new DynamoDBClient(plant.client));
  s3 = new S3Client({ ...plant.client, forcePathStyle: true });
  const useCaseDigest = digestOf(useCase);
  const command = (recordClass: RecordClass, id: string, body: Record<string, unknown>) => ({
    ...{ schema: 'ledger-command/1', commandId: `test/${recordClass}/${id}`, site: 'plant-a', actor: 'test' },
    ...{ reason: 'test', record: { class: recordClass, id, body } },
  });
  const commands = [
    command('use-case', useCaseDigest, { ...useCase }),
    command('package', PACKAGE, { modelLine: LINE, validationLoss: { mean: 0.05, upper: 0.08, runs: 20 } }),
    command('model-line', LINE, { ...aModelLine(LINE, useCaseDigest, PACKAGE) }),
  ];
  await invoke(plant.names.ledgerWriter.name, { commands });
  const Key = `${artifactKeys.package(LINE, PACKAGE)}baseline.json`;
  const Body = objectsOf(recorded).artifactFiles[Key];
  await s3.send(new PutObjectCommand({ Bucket: plant.names.artifactsBucket, Key, Body }));
});

afterAll(() => plant?.stop());

test('windows of a device are kept, judged and recorded with evidence that is computed again to the same bytes', async () => {
  for (const window of windows.slice(0, 3)) await send(window);
  await send(windows[1] as DriftWindow);
  const chain = await until(chainNow, (c) => c.length >= 3);
  const known = new Map(windows.map((w) => [windowName(w), w]));
  expect(verifyFolds(chain, baseline, known)).toEqual({ holds: true, folds: 3 });
  const record = await until(
    () => latest('judgement', `drift/${LINE}/plant-a/edge-1`),
    (r) => r?.['kind'] === 'serious',
  );
  expect(record).toMatchObject({ evidence: chain.at(-1)?.evidence.hash, worstFeature: 'speed', assets: ['m1'] });
});

test('a finding of quality that the device sent holds what would be drift', async () => {
  const finding = {
    ...{ schema: 'quality-finding/1', site: 'plant-a', asset: 'm1', signal: 'speed', check: 'stuck', open: false },
    ...{ from: dayAt(3), to: dayAt(4), count: 100, worst: null, says: 'the same value for a day' },
  };
  await publish(qualityTopic('local', 'plant-a', 'edge-1'), {
    ...{ schema: 'quality/1', site: 'plant-a', device: 'edge-1', boot: 'b1', sequence: 1, at: dayAt(4) },
    findings: [finding],
  });
  const { pk, sk } = judgementKeys.findings({ ...finding, check: 'stuck' }, 'edge-1');
  const Key = { pk, sk };
  await until(
    () => db.send(new GetCommand({ TableName: plant.names.judgementTable.name, Key })),
    (r) => r.Item !== undefined,
  );
  await send(windows[3] as DriftWindow);
  await send(windows[4] as DriftWindow);
  const chain = await until(chainNow, (c) => c.length >= 5);
  const kinds = new Map(chain.map((f) => [f.evidence.windows[0]?.windowStart, f.evidence.kind]));
  expect([601, 801].map((start) => kinds.get(start))).toEqual(['data-quality', 'serious']);
});

test('the scheduled judgement judges every line, and tells of a device that nobody watches', async () => {
  const deciding = judgementKeys.deciding(LINE, PACKAGE, 'plant-a', 'edge-2');
  const Item = { ...deciding, site: 'plant-a', device: 'edge-2', boot: 'b1', first: 1, last: 5000, at: dayAt(9) };
  await db.send(new PutCommand({ TableName: plant.names.judgementTable.name, Item }));
  const sfn = new SFNClient(plant.client);
  const { executionArn } = await sfn.send(
    new StartExecutionCommand({ stateMachineArn: plant.names.judging.arn, input: '{}' }),
  );
  const ended = await until(
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
    (e) => e.status !== 'RUNNING',
  );
  expect(ended.status).toBe('SUCCEEDED');
  expect(await latest('judgement', `watch/${LINE}/plant-a/edge-2`)).toMatchObject({ state: 'unwatched' });
  expect(await latest('judgement', `watch/${LINE}/plant-a/edge-1`)).toBeUndefined();
});
