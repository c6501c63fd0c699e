import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { AthenaClient } from '@aws-sdk/client-athena';
import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CopyObjectCommand, DeleteObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { CompactAnswer } from '#core/contracts/compaction.ts';
import type { LandedDay } from '#core/contracts/lake.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { observationTopic } from '#core/contracts/observation.ts';
import { QuarantinedMessage, QuarantineList, ReplayAnswer } from '#core/contracts/quarantine.ts';
import { writeParquet } from '#core/lake/parquet.ts';
import { rowsOnce } from '#core/lake/rows-once.ts';
import { type Athena, makeAthena } from '../../../cli/athena.ts';
import { Spool } from '../../../greengrass-components/shared/spool.ts';
import { s3Store } from '../../../lambdas/shared/object-store.ts';
import { jsonLines } from '../../support/json-lines.ts';
import { observations } from '../../support/memory-landing.ts';
import { until } from '../aws/local-aws.ts';
import { buildEdgeComponents, DEVICE, SITE, STAGE, startEdgeDevice } from '../edge/edge-device.ts';
import { become, type DeployedPlant, deployPlant } from './deployed-plant.ts';

jest.setTimeout(300_000);

const TOPIC = observationTopic('local', 'plant-a', 'edge-1');
const DAY: LandedDay = { table: 'observations', site: 'plant-a', date: '2026-01-05' };

let plant: DeployedPlant;
let s3: S3Client;
let lake: ReturnType<typeof s3Store>;
let athena: Athena;
beforeAll(async () => {
  plant = await deployPlant();
  const { client, names } = plant;
  s3 = new S3Client({ ...client, forcePathStyle: true });
  lake = s3Store(s3, names.lakeBucket);
  athena = makeAthena({
    client: new AthenaClient(client),
    workgroup: names.workgroup,
    database: names.glueDatabase,
    sleep,
  });
});
afterAll(() => plant?.stop());

const publish = async (...payloads: (object | string)[]) => {
  const iot = new IoTDataPlaneClient(plant.client);
  for (const payload of payloads)
    await iot.send(
      new PublishCommand({
        topic: TOPIC,
        qos: 1,
        payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
      }),
    );
};
const invoke = async (arn: string, request: object): Promise<unknown> => {
  const answer = await new LambdaClient(plant.client).send(
    new InvokeCommand({ FunctionName: arn, Payload: Buffer.from(JSON.stringify(request)) }),
  );
  const document: unknown = JSON.parse(Buffer.from(answer.Payload ?? []).toString() || 'null');
  if (answer.FunctionError !== undefined) throw new Error(JSON.stringify(document));
  return document;
};
/** Sequences of the rows of a boot that SQL sees. */
const sequences = async (boot = 'boot-1'): Promise<number[]> => {
  const { rows } = await athena.query(
    `SELECT sequence FROM ${rowsOnce('observations')} AS observations WHERE boot = '${boot}' ORDER BY sequence`,
  );
  return rows.map(([n]) => Number(n));
};
const aside = async (): Promise<QuarantinedMessage[]> => {
  const objects = await Promise.all((await lake.list('quarantine/messages/')).map((key) => lake.get(key)));
  return objects.flatMap((bytes) => jsonLines(bytes)).map((line) => QuarantinedMessage.parse(line));
};

test('messages that come several times, by MQTT and in an upload, are each counted once, and malformed ones are put aside', async () => {
  await publish(
    observations(1),
    observations(1),
    'no json',
    observations(2),
    observations(3, [3], { site: 'plant-b' }),
  );
  await until(
    () => sequences(),
    (all) => all.length >= 2,
    60_000,
  );
  const key = lakeKeys.observations({ site: 'plant-a', thing: 'local-plant-a-edge-1', name: 'outage' });
  const lines = [observations(2), observations(4), observations(5)].map((m) => JSON.stringify(m));
  await s3.send(new PutObjectCommand({ Bucket: plant.names.lakeBucket, Key: key, Body: gzipSync(lines.join('\n')) }));
  await publish(observations(1), observations(4));
  await until(
    () => sequences(),
    (all) => all.length >= 4,
    60_000,
  );
  await publish(observations(6));
  expect(
    await until(
      () => sequences(),
      (all) => all.includes(6),
      60_000,
    ),
  ).toEqual([1, 2, 4, 5, 6]);
  const put = await until(aside, (all) => all.length >= 2, 60_000);
  expect(put.map((m) => [m.class, m.topic]).sort()).toEqual([
    ['not-json', TOPIC],
    ['sender', TOPIC],
  ]);
  expect(put.map((m) => Buffer.from(m.bytes, 'base64').toString())).toContain('no json');
});

test('what is in quarantine is listed and replayed, with what came of it', async () => {
  const list = async () =>
    QuarantineList.parse(await invoke(plant.names.quarantine.arn, { do: 'list', site: 'plant-a', limit: 10 }));
  const { entries } = await list();
  expect(entries.reduce((sum, e) => sum + e.records, 0)).toBe(2);
  const request = { do: 'replay', what: { all: true }, dryRun: false, by: 'person:a', reason: 'test' };
  const { replays } = ReplayAnswer.parse(await invoke(plant.names.quarantine.arn, request));
  expect(replays.reduce((sum, r) => sum + r.result.bad, 0)).toBe(2);
  expect((await list()).entries.every((e) => e.replay !== null)).toBe(true);
});

test('a day that is over is put into one file, and SQL counts what it counted before', async () => {
  const before = await sequences();
  // The day of today is not over: what landed is moved to one that is.
  for (const key of await lake.list('curated/observations/tier=hot/')) {
    const Key = lakeKeys.hot({ ...DAY, batch: key.split('/').at(-1)?.replace('.parquet', '') as string });
    await s3.send(
      new CopyObjectCommand({ Bucket: plant.names.lakeBucket, CopySource: `${plant.names.lakeBucket}/${key}`, Key }),
    );
    await s3.send(new DeleteObjectCommand({ Bucket: plant.names.lakeBucket, Key: key }));
  }
  const request = { table: 'observations', site: 'plant-a', date: DAY.date };
  const small = (await lake.list(lakeKeys.landedPrefix('hot', DAY))).length;
  expect(CompactAnswer.parse(await invoke(plant.names.compact.arn, request)).days).toMatchObject([
    { files: small, parts: 1, state: 'done' },
  ]);
  expect(await lake.list(lakeKeys.landedPrefix('hot', DAY))).toEqual([]);
  expect(await lake.list(lakeKeys.landedPrefix('cold', DAY))).toHaveLength(1);
  expect(await sequences()).toEqual(before);
  const { rows } = await athena.query('SELECT "rows", replaced FROM compactions');
  expect(rows).toEqual([[String(before.length), String(small)]]);
});

test('a file that was written before a column was added is read with null in it', async () => {
  const old = writeParquet([
    { name: 'asset', type: 'string', data: ['old-1'] },
    { name: 'value', type: 'double', data: [7] },
  ]);
  const Key = lakeKeys.hot({ ...DAY, date: '2026-01-04', batch: 'old' });
  await s3.send(new PutObjectCommand({ Bucket: plant.names.lakeBucket, Key, Body: old }));
  const { rows } = await athena.query(
    `SELECT value, config_version FROM ${rowsOnce('observations')} AS observations WHERE asset = 'old-1'`,
  );
  expect(rows).toEqual([['7.0', null]]);
});

test('what an outage left on a device is uploaded by its uplink with its own credentials, and each message lands once', async () => {
  buildEdgeComponents();
  const thing = `${STAGE}-${SITE}-${DEVICE}`;
  const name = `${plant.names.prefix}-device`;
  const { Role } = await new IAMClient(plant.client).send(new GetRoleCommand({ RoleName: name }));
  const { endpoint, credentials } = await become(plant, Role ?? {}, thing);
  const device = await startEdgeDevice({
    'millwright.uplink': { stage: STAGE, site: SITE, lakeBucket: plant.names.lakeBucket },
  });
  try {
    mkdirSync(device.stateDir, { recursive: true });
    const spool = new Spool(join(device.stateDir, 'spool.db'));
    const waiting = Array.from({ length: 520 }, (_, i) => observations(i + 1, [i], { boot: 'boot-2' }));
    for (const message of waiting) spool.putMessage(TOPIC, JSON.stringify(message), Date.now(), null);
    // The broker is away for longer than the lake.
    device.online = false;
    await device.start('uplink', {
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken ?? '',
    });
    await until(
      async () => spool.newestMessages(TOPIC, 1).length,
      (left) => left === 0,
      60_000,
    );
    spool.close();
  } finally {
    await device.stop();
  }
  const prefix = lakeKeys.observations({ site: SITE, thing, name: 'boot-2' }).replace('.ndjson.gz', '');
  expect(await lake.list(prefix)).toHaveLength(1);
  // Some were published before the outage, and their answers were lost.
  await publish(...[1, 2, 3].map((n) => observations(n, [n - 1], { boot: 'boot-2' })));
  await until(
    () => sequences('boot-2'),
    (all) => all.length >= 520,
    120_000,
  );
  await publish(observations(521, [1], { boot: 'boot-2' }));
  const all = await until(
    () => sequences('boot-2'),
    (seen) => seen.includes(521),
    60_000,
  );
  expect(all).toEqual(Array.from({ length: 521 }, (_, i) => i + 1));
});
