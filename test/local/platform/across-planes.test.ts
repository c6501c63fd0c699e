import { CloudWatchClient, DescribeAlarmsCommand, SetAlarmStateCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreateThingCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { type MqttClient, connect as mqtt } from 'mqtt';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { digestTopic, type FeatureDigest } from '#core/contracts/device.ts';
import { artifactKeys } from '#core/contracts/lake.ts';
import { packSketch } from '#core/drift/sketch/pack.ts';
import { until } from '../aws/local-aws.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';
import { subscribe } from './subscribe.ts';

jest.setTimeout(300_000);

const STAGE = 'local';
const SITE = 'plant-a';

let plant: DeployedPlant;
beforeAll(async () => {
  plant = await deployPlant();
});
afterAll(() => plant?.stop());

const counts = [60, 40, 0, 0, 0, 0];
const sketch = { n: 100, z: 0, zz: 0, lag: 0, lagged: 99, min: 0, max: 2, longest: 1, changes: 99 };
const digest: FeatureDigest = {
  schema: 'feature-digest/2',
  site: SITE,
  device: 'edge-1',
  boot: 'b1',
  windowStart: 1,
  windowEnd: 100,
  rows: 100,
  context: 'default',
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-01-01T01:00:00.000Z',
  assets: ['spindle-1'],
  modelLine: `predictive-maintenance/${SITE}`,
  packageDigest: `sha256:${'a'.repeat(64)}`,
  part: 0,
  parts: 1,
  sketches: [['f', packSketch({ name: 'f', counts, ...sketch })]],
};

test('a digest of a device reaches the lake and the drift evaluator by one rule, and none that it makes for another', async () => {
  const s3 = new S3Client({ ...plant.client, forcePathStyle: true });
  const baseline: BaselineSpec = {
    schema: 'baseline/2',
    featureSetDigest: digest.packageDigest,
    rows: 1000,
    windows: { rows: 500, count: 0 },
    features: [
      {
        name: 'f',
        cells: { kind: 'numeric', edges: [1], atoms: [], range: null, center: 1, scale: 1 },
        counts: [500, 500, 0, 0, 0, 0],
      },
    ],
    joint: null,
    contexts: [],
  };
  await s3.send(
    new PutObjectCommand({
      Bucket: plant.names.artifactsBucket,
      Key: `${artifactKeys.package(digest.modelLine, digest.packageDigest)}baseline.json`,
      Body: JSON.stringify(baseline),
    }),
  );
  const iot = new IoTDataPlaneClient(plant.client);
  const forged = { ...digest, device: 'edge-2', cameOn: digestTopic(STAGE, SITE, 'edge-2') };
  for (const message of [forged, { ...digest, device: 'edge-3' }, digest])
    await iot.send(
      new PublishCommand({
        topic: digestTopic(STAGE, SITE, digest.device),
        qos: 1,
        payload: Buffer.from(JSON.stringify(message)),
      }),
    );
  const db = DynamoDBDocumentClient.from(new DynamoDBClient(plant.client));
  const written = await until(
    async () =>
      (
        await s3.send(
          new ListObjectsV2Command({ Bucket: plant.names.lakeBucket, Prefix: `telemetry/tier=hot/site=${SITE}/` }),
        )
      ).Contents ?? [],
    (objects) => objects.length > 0,
    60_000,
  );
  expect(written).toHaveLength(1);
  const counted = await until(
    async () => (await db.send(new ScanCommand({ TableName: plant.names.judgementTable.name }))).Items ?? [],
    (items) => items.length > 0,
    60_000,
  );
  expect(counted).toEqual([
    expect.objectContaining({
      sk: `${SITE}/edge-1`,
      waiting: [{ context: 'default', windows: [{ boot: 'b1', windowStart: 1, rows: 100 }] }],
    }),
  ]);
});

test('every alarm tells whoever is subscribed to the owners', async () => {
  const read = await subscribe(plant, plant.names.ownersTopic);
  const cloudwatch = new CloudWatchClient(plant.client);
  const { MetricAlarms } = await cloudwatch.send(new DescribeAlarmsCommand({ AlarmNamePrefix: plant.names.prefix }));
  const alarms = (MetricAlarms ?? []).map((a) => a.AlarmName as string);
  expect(alarms).toContain(`${plant.names.prefix}-digests-dead`);
  for (const AlarmName of alarms)
    await cloudwatch.send(new SetAlarmStateCommand({ AlarmName, StateValue: 'ALARM', StateReason: 'test' }));
  const told = new Set<string>();
  await until(
    async () => {
      for (const body of await read()) told.add(JSON.parse(body).AlarmName);
      return [...told];
    },
    (names) => alarms.every((a) => names.includes(a)),
  );
  expect([...told].sort()).toEqual([...alarms].sort());
});

describe('the certificate of a device', () => {
  const things = ['local-plant-a-edge-1', 'local-plant-a-edge-10'];
  const connected: MqttClient[] = [];
  afterAll(async () => {
    for (const client of connected) client.end(true);
  });

  const certified = async (thingName: string) => {
    const iot = new IoTClient(plant.client);
    const device = thingName.replace(/^local-plant-a-/, '');
    await iot.send(new CreateThingCommand({ thingName, attributePayload: { attributes: { site: SITE, device } } }));
    const { certificateArn, certificatePem, keyPair } = await iot.send(
      new CreateKeysAndCertificateCommand({ setAsActive: true }),
    );
    await iot.send(new AttachPolicyCommand({ policyName: plant.names.devicePolicy, target: certificateArn }));
    await iot.send(new AttachThingPrincipalCommand({ thingName, principal: certificateArn }));
    return { cert: certificatePem as string, key: keyPair?.PrivateKey as string };
  };
  /** Rejects when the broker closes the connection, as it does to a client that asks for what it may not have. */
  const connectOnce = async (clientId: string, identity: { cert: string; key: string }): Promise<MqttClient> => {
    const ca = await (await fetch(plant.aws.mqttCaUrl)).text();
    const client = mqtt({
      host: '127.0.0.1',
      port: plant.aws.mqttPort,
      protocol: 'mqtts',
      clientId,
      ca,
      ...identity,
      reconnectPeriod: 0,
      connectTimeout: 5000,
    });
    connected.push(client);
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve());
      client.once('error', reject);
      client.once('close', () => reject(new Error('closed by the broker')));
    });
    return client;
  };
  /** On Python 3.11.2 the emulator leaves the first connection unanswered; a device tries again, and so does this. */
  const connect = async (clientId: string, identity: { cert: string; key: string }, tries = 4): Promise<MqttClient> => {
    try {
      return await connectOnce(clientId, identity);
    } catch (error) {
      if (tries === 1 || !/connack timeout/.test((error as Error).message)) throw error;
      return connect(clientId, identity, tries - 1);
    }
  };

  test('lets it listen to its own jobs and not to those of a device whose name begins with its own', async () => {
    const [one = '', ten = ''] = things;
    const identity = await certified(one);
    await certified(ten);
    const client = await connect(one, identity);
    const codes = async (topic: string) => (await client.subscribeAsync(topic)).map((g) => g.qos);
    expect(await codes(`$aws/things/${one}/jobs/notify`)).toEqual([0]);
    await expect(codes(`$aws/things/${ten}/jobs/notify`)).rejects.toThrow('Connection closed');
  });

  test('lets it not connect by the name of a device whose name begins with its own', async () => {
    const identity = await certified('local-plant-a-edge-2');
    await expect(connect('local-plant-a-edge-20', identity)).rejects.toThrow(/closed by the broker|Not authorized/);
  });
});
