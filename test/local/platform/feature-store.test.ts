import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { AthenaClient } from '@aws-sdk/client-athena';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { EVENT_SOURCE, type EventDetail } from '#core/contracts/events.ts';
import { BackfillRecord } from '#core/contracts/feature-store.ts';
import type { Frame } from '#core/contracts/frame.ts';
import { lakeKeys, storeKeys } from '#core/contracts/lake.ts';
import type { RunHistory } from '#core/contracts/source.ts';
import { featureSetRecord } from '#core/feature-sets/record.ts';
import { materialiseRange } from '#core/features/engine/rows.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { checkFrames } from '#core/quality/check-frames.ts';
import { dayOf, type LakeQuery, sqlOf } from '#core/queries/query.ts';
import { QUERIES } from '#core/queries/registry.ts';
import { makeAthena } from '../../../cli/athena.ts';
import { lambdaLedger } from '../../../lambdas/shared/ledger-client.ts';
import { s3Store } from '../../../lambdas/shared/object-store.ts';
import { dynamoRegistry } from '../../../lambdas/shared/registry-reader.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { until } from '../aws/local-aws.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';

jest.setTimeout(300_000);

const SITE = 'plant-a';
const definition = definitions[0] as (typeof definitions)[number];
const { useCase } = definition;
const SET = digestOf(useCase.featureSet);
const [run] = definition.source({ site: SITE, seed: 7, start: '2026-01-01T00:00:00.000Z' }).history();
const frames = (run as RunHistory).frames.slice(0, 90);
const { asset } = frames[0] as Frame;

let plant: DeployedPlant;
beforeAll(async () => {
  plant = await deployPlant();
});
afterAll(() => plant?.stop());

const clients = () => {
  const s3 = new S3Client({ ...plant.client, forcePathStyle: true });
  const lake = s3Store(s3, plant.names.lakeBucket);
  return {
    lake,
    registry: dynamoRegistry(DynamoDBDocumentClient.from(new DynamoDBClient(plant.client)), plant.names.registry.name),
    athena: makeAthena({
      client: new AthenaClient(plant.client),
      workgroup: plant.names.workgroup,
      database: plant.names.glueDatabase,
      sleep,
    }),
    upload: (given: readonly Frame[]) =>
      s3.send(
        new PutObjectCommand({
          Bucket: plant.names.lakeBucket,
          Key: lakeKeys.frames({
            site: SITE,
            asset,
            run: (given[0] as Frame).run,
            first: (given[0] as Frame).index,
            last: (given.at(-1) as Frame).index,
          }),
          Body: gzipSync(given.map((f) => JSON.stringify(f)).join('\n')),
        }),
      ),
    stored: () => lake.list(storeKeys.prefix(SET)),
  };
};

interface Row {
  readonly index: number;
  readonly valid: string;
  readonly known: string;
  readonly x: readonly number[];
}

/** A query keeps the local AWS busy, which has other work: one every few seconds. */
const rowsInAthena = async (): Promise<readonly Row[]> => {
  await sleep(3000);
  const { rows } = await clients().athena.query(
    `SELECT "index", "valid_time", "known_time", "x" FROM features WHERE "feature_set" = '${SET.slice(7)}' AND "site" = '${SITE}' AND "date" BETWEEN '2026-01-01' AND '2026-02-01' ORDER BY "index", "known_time"`,
  );
  return rows.map(([index, valid, known, x]) => ({
    index: Number(index),
    valid: valid as string,
    known: known as string,
    x: JSON.parse(x as string) as number[],
  }));
};

const backfill = async (): Promise<BackfillRecord> => {
  const backfillId = `backfill-${randomUUID()}`;
  const detail: EventDetail<'BackfillRequested'> = {
    backfillId,
    featureSetDigest: SET,
    site: SITE,
    from: '2026-01-01',
    to: '2026-02-01',
    asset: null,
    requestedBy: 'test',
    reason: 'test',
  };
  await new EventBridgeClient(plant.client).send(
    new PutEventsCommand({
      Entries: [
        {
          EventBusName: plant.names.bus.name,
          Source: EVENT_SOURCE,
          DetailType: 'BackfillRequested',
          Detail: JSON.stringify(detail),
        },
      ],
    }),
  );
  const record = await until(
    async () => (await clients().registry.latest('backfill', backfillId))?.body ?? null,
    (body) => body !== null && body['status'] !== 'running',
    120_000,
  );
  return BackfillRecord.parse(record);
};

test('rows come as frames are uploaded, a backfill writes the same objects, a correction is known later, findings are asked of SQL', async () => {
  const { lake, registry, upload, stored } = clients();
  const ledger = lambdaLedger(new LambdaClient(plant.client), plant.names.ledgerWriter.name);
  const put = (recordClass: 'feature-set' | 'use-case' | 'model-line', id: string, body: object) => ({
    schema: 'ledger-command/1' as const,
    commandId: `test/${recordClass}`,
    site: SITE,
    actor: 'test',
    reason: 'test',
    record: { class: recordClass, id, body: { ...body } },
  });
  await ledger.write([
    put('feature-set', SET, featureSetRecord(useCase)),
    put('use-case', digestOf(useCase), useCase),
    put('model-line', `${useCase.id}/${SITE}`, aModelLine(`${useCase.id}/${SITE}`, digestOf(useCase))),
  ]);
  const expected = materialiseRange(useCase, frames, { first: 1, last: Number.POSITIVE_INFINITY });
  expect(expected.length).toBeGreaterThan(50);

  // The third first: its windows are completed by what comes later.
  for (const [first, last] of [
    [60, 90],
    [0, 30],
    [30, 60],
  ])
    await upload(frames.slice(first, last));
  const complete = (rows: readonly Row[]): boolean =>
    JSON.stringify(rows.map((r) => [r.index, r.x])) === JSON.stringify(expected.map((r) => [r.index, r.x]));
  const rows = await until(rowsInAthena, complete, 120_000);
  expect(rows.map(({ index, valid, x }) => ({ index, valid, x }))).toEqual(
    expected.map((r) => ({ index: r.index, valid: r.sourceTime, x: r.x })),
  );

  const before = await stored();
  expect(await backfill()).toMatchObject({ status: 'done', objects: 3, written: 0, rows: expected.length });
  expect(await stored()).toEqual(before);

  // Written anew where there is nothing: the same objects with the same bytes.
  const bytes = await Promise.all(before.map((key) => lake.get(key)));
  for (const key of before) await lake.put(key, Buffer.from('gone'));
  expect(await backfill()).toMatchObject({ status: 'done', written: before.length, unchanged: 0 });
  expect(await Promise.all(before.map((key) => lake.get(key)))).toEqual(bytes);

  const signal = useCase.signals.find((s) => s.kind === 'scalar')?.name as string;
  const corrected = frames.slice(0, 30).map((f) => ({
    ...f,
    signals: {
      ...f.signals,
      [signal]: { value: useCase.signals.find((s) => s.name === signal)?.range[0], quality: 'GOOD' as const },
    },
  })) as Frame[];
  const time = new Date().toISOString();
  await upload(corrected);
  const versions = await until(rowsInAthena, (all) => all.length > rows.length, 120_000);
  const old = versions.filter((r) => r.known < time);
  expect(old).toEqual(rows);
  const after = materialiseRange(useCase, [...corrected, ...frames.slice(30)], {
    first: 1,
    last: Number.POSITIVE_INFINITY,
  });
  const xOf = new Map(after.map((r) => [r.index, r.x]));
  const since = versions.filter((v) => v.known >= time);
  // The corrected frames themselves have a feature that is missing now; the windows after them have not.
  for (const r of since) expect(r.x).toEqual(xOf.get(r.index) ?? []);
  expect([since.some((r) => r.x.length === 0), since.some((r) => r.x.length > 0)]).toEqual([true, true]);
  expect((await registry.list('backfill')).length).toBe(2);

  const tooHigh = (useCase.signals.find((s) => s.name === signal)?.range[1] as number) * 2 + 1;
  const faulty = frames.slice(0, 8).map((f, i) => ({
    ...f,
    run: 'faulty',
    ...(i === 3 || i === 4
      ? { signals: { ...f.signals, [signal]: { value: tooHigh, quality: 'GOOD' as const } } }
      : {}),
  }));
  await upload(faulty);
  const found = checkFrames(faulty, useCase.signals).filter((f) => f.check === 'range' && f.signal === signal);
  expect(found.map((f) => f.count)).toEqual([2]);
  const day = (more: number) => dayOf(new Date().toISOString(), more);
  const query = sqlOf(QUERIES['findings-of-signal'] as LakeQuery, {
    ...{ site: SITE, asset, signal },
    ...{ first_day: day(-1), last_day: day(1) },
  });
  const told = await until(
    async () => {
      await sleep(3000);
      const { columns, rows: all } = await clients().athena.query(query);
      const of = (row: readonly (string | null)[], name: string) => row[columns.indexOf(name)];
      return all
        .filter((r) => of(r, 'check') === 'range')
        .map((r) => [
          of(r, 'from_time'),
          of(r, 'to_time'),
          Number(of(r, 'count')),
          Number(of(r, 'worst')),
          of(r, 'found_by'),
        ]);
    },
    (ranges) => ranges.length > 0,
    60_000,
  );
  expect(told).toEqual(found.map((f) => [f.from, f.to, f.count, f.worst, 'register-upload']));
});
