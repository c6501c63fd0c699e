import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AthenaClient } from '@aws-sdk/client-athena';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { DecisionRecord } from '#core/contracts/decision.ts';
import { storeKeys } from '#core/contracts/lake.ts';
import { type ObservationMessage, observationTopic } from '#core/contracts/observation.ts';
import { type QualityFinding, type QualityMessage, qualityTopic } from '#core/contracts/quality.ts';
import type { FrameSource } from '#core/feature-sets/frame-versions.ts';
import { rowHistory, type StoreRow } from '#core/feature-sets/row-history.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { decisionObject } from '#core/inference/decision-object.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { LabelJoin } from '#core/point-in-time/label-join.ts';
import { dayOf, type LakeQuery, sqlOf } from '#core/queries/query.ts';
import { QUERIES } from '#core/queries/registry.ts';
import { type Athena, makeAthena } from '../../../cli/athena.ts';
import { s3Store } from '../../../lambdas/shared/object-store.ts';
import { rowsToParquet } from '../../../lambdas/shared/table-file.ts';
import { aDecision } from '../../support/alerts.ts';
import { FEATURE_SET } from '../../unit/feature-sets/a-run.ts';
import { aFrame, good, SIGNALS } from '../../unit/features/a-frame.ts';
import { REPOSITORY, until } from '../aws/local-aws.ts';
import { type DeployedPlant, deployPlant } from './deployed-plant.ts';

jest.setTimeout(300_000);

const SITE = 'plant-a';
const HOUR = 3_600_000;
const SECOND = 1000;
const at = (hour: number, more = 0): string => new Date(Date.UTC(2026, 0, 1) + hour * HOUR + more).toISOString();

const SET = digestOf(FEATURE_SET);

/** 60 frames of a machine an hour apart, received five seconds late; on hour 50 frame 20 was corrected. */
const frames = Array.from({ length: 60 }, (_, i) =>
  aFrame(i + 1, { level: good(Math.fround(10 * Math.sin(i) + i / 7)) }, { receivedTime: at(i + 1, 5 * SECOND) }),
);
const sources: readonly FrameSource[] = [
  { key: 'raw/frames/a', digest: `sha256:${'a'.repeat(64)}`, correctedAt: null, frames },
  {
    key: 'raw/frames/b',
    digest: `sha256:${'b'.repeat(64)}`,
    correctedAt: at(50),
    frames: [aFrame(20, { level: good(99) }, { receivedTime: at(20, 5 * SECOND) })],
  },
];
const history = rowHistory({ featureSet: FEATURE_SET, signals: SIGNALS }, sources, new Set(sources));
const stored = [...history.values()].flat();

/** What the join says of labels, over what the feature code computed. */
const joined = (labels: readonly { time: string; as_of?: string }[], knownAt: string) => {
  const join = new LabelJoin(
    labels.map((l) => ({ asset: 'm1', label: 0, ...l })),
    knownAt,
  );
  join.take({
    asset: 'm1',
    run: 'life-01',
    index: stored.map((r) => r.index as number),
    validTime: stored.map((r) => r.valid_time as string),
    knownTime: stored.map((r) => r.known_time as string),
    x: stored.map((r) => r.x),
    source: stored.map((r) => r.source as string),
  });
  return join.rows().map(({ index, validTime, knownTime, x }) => ({ index, validTime, knownTime, x }));
};

/** A decision about each frame, a second after it came, with the features that the device computed. */
const decisions = ((): readonly DecisionRecord[] => {
  const features = compileFeatureSet(FEATURE_SET, SIGNALS).open();
  return frames.map((frame, i) => {
    const vector = features.push(frame);
    const decidedAt = new Date(Date.parse(frame.receivedTime) + SECOND).toISOString();
    return aDecision(i + 1, {
      asset: frame.asset,
      run: frame.run,
      index: frame.index,
      sourceTime: frame.sourceTime,
      decidedAt,
      features: vector.ok ? [...vector.x] : null,
      featureSetDigest: SET,
    });
  });
})();

// What lands is of now: its table is by the day of landing.
const hour0 = Math.floor(Date.now() / HOUR) * HOUR - 3 * HOUR;
const landed = (minute: number): string => new Date(hour0 + minute * 60_000).toISOString();
const TODAY = { first_day: dayOf(landed(0), -1), last_day: dayOf(landed(0), 2) };
const points = Array.from({ length: 150 }, (_, i) => ({
  t: landed(i),
  v: Math.fround(20 + Math.cos(i)),
  q: i % 10 === 3 ? ('BAD' as const) : ('GOOD' as const),
}));
const observationMessage = (sequence: number, some: typeof points): ObservationMessage => ({
  schema: 'observations/1',
  site: SITE,
  device: 'edge-1',
  boot: 'boot-1',
  sequence,
  receivedTime: landed(180),
  provenance: { connector: 'opc-ua', configVersion: '7' },
  series: [{ asset: 'm1', signal: "oil's heat", unit: 'Cel', points: some }],
});
const finding = (over: Partial<QualityFinding>): QualityFinding => ({
  schema: 'quality-finding/1',
  site: SITE,
  asset: 'm1',
  signal: "oil's heat",
  check: 'stuck',
  from: landed(0),
  to: landed(5),
  open: true,
  count: 5,
  worst: 300,
  says: 'the same value',
  ...over,
});
const qualityMessage = (sequence: number, findings: QualityFinding[]): QualityMessage => ({
  schema: 'quality/1',
  site: SITE,
  device: 'edge-1',
  boot: 'boot-1',
  sequence,
  at: landed(sequence),
  findings,
});

let plant: DeployedPlant;
let athena: Athena;
beforeAll(async () => {
  plant = await deployPlant();
  const { client, names } = plant;
  athena = makeAthena({
    client: new AthenaClient(client),
    workgroup: names.workgroup,
    database: names.glueDatabase,
    sleep,
  });
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const sqs = new SQSClient(client);
  const put = (Key: string, Body: Uint8Array | string) =>
    s3.send(new PutObjectCommand({ Bucket: names.lakeBucket, Key, Body }));
  for (const [source, rows] of history)
    for (const [date, some] of Map.groupBy(rows, (r) => (r.valid_time as string).slice(0, 10))) {
      const place = { site: SITE, date, asset: 'm1', run: 'life-01', first: 1, last: 60 };
      await put(
        storeKeys.rows({ featureSet: SET, ...place, source: source.digest }),
        rowsToParquet('features', some as StoreRow[]),
      );
    }
  const uploaded = decisionObject('local', decisions);
  await put(uploaded.key, uploaded.body);
  const say = (cameOn: string, message: object) =>
    sqs.send(
      new SendMessageCommand({
        QueueUrl: names.messageQueue.url,
        MessageBody: JSON.stringify({ cameOn, bytes: Buffer.from(JSON.stringify(message)).toString('base64') }),
      }),
    );
  const topic = observationTopic('local', SITE, 'edge-1');
  for (const [i, from] of [0, 50, 100].entries())
    await say(topic, observationMessage(i + 1, points.slice(from, from + 50)));
  await say(topic, observationMessage(1, points.slice(0, 50)));
  const closed = { open: false, to: landed(9), count: 9 };
  await say(
    qualityTopic('local', SITE, 'edge-1'),
    qualityMessage(4, [finding({}), finding({ check: 'gap', signal: 'other' })]),
  );
  await say(qualityTopic('local', SITE, 'edge-1'), qualityMessage(5, [finding(closed)]));
  const lake = s3Store(s3, names.lakeBucket);
  const rowsOf = async (table: string) =>
    Number((await ask('rows-by-day', { table, ...TODAY })).reduce((sum, r) => sum + Number(r['all_rows']), 0));
  await until(
    async () => [await rowsOf('observations'), await rowsOf('quality'), (await lake.list('decisions/')).length],
    ([seen = 0, found = 0, decided = 0]) => seen >= 150 && found >= 3 && decided > 0,
    120_000,
  );
});
afterAll(() => plant?.stop());

const asked = new Set<string>();
const ask = async (name: string, params: Record<string, string>): Promise<Record<string, string | null>[]> => {
  asked.add(name);
  const query = QUERIES[name] as LakeQuery;
  const { columns, rows } = await athena.query(sqlOf(query, { site: SITE, ...params }));
  return rows.map((row) => Object.fromEntries(columns.map((c, i) => [c, row[i] ?? null])));
};
const asRow = (r: Record<string, string | null>) => ({
  index: Number(r['index']),
  validTime: r['valid_time'],
  knownTime: r['known_time'],
  x: JSON.parse(r['x'] ?? '[]'),
});
const SIGNAL = { asset: 'm1', signal: "oil's heat", from: landed(0), to: landed(1000) };

describe('queries on the local plant', () => {
  it('find for an instant the features that the join finds', async () => {
    for (const hour of [5, 20.5, 30, 49.9, 50, 57]) {
      const rows = await ask('features-as-of', { feature_set: SET, at: at(hour) });
      expect(rows.map(asRow)).toEqual(joined([{ time: at(hour) }], at(hour)));
      expect(rows.length).toBe(1);
    }
    expect(await ask('features-as-of', { feature_set: SET, at: at(0) })).toEqual([]);
  });

  it('find what was known later of an instant, corrections included, as the join does', async () => {
    for (const known of [21, 49, 50, 60]) {
      const rows = await ask('features-corrected', { feature_set: SET, at: at(21, HOUR / 2), known_at: at(known) });
      expect(rows.map(asRow)).toEqual(joined([{ time: at(21, HOUR / 2), as_of: at(known) }], at(known)));
    }
    const [corrected] = await ask('features-corrected', { feature_set: SET, at: at(20, 1), known_at: at(60) });
    expect(JSON.parse(corrected?.['x'] ?? '')[0]).toBe(99);
  });

  it('find each frame of a stretch once, as it was known', async () => {
    const stretch = { feature_set: SET, asset: 'm1', from: at(15), to: at(26) };
    for (const known of [24, 60]) {
      const rows = (await ask('features-of-frames', { ...stretch, known_at: at(known) })).map(asRow);
      const inStretch = stored.filter(
        (r) =>
          (r.known_time as string) <= at(known) &&
          (r.valid_time as string) >= at(15) &&
          (r.valid_time as string) < at(26),
      );
      const newest = new Map(
        [...inStretch].sort((a, b) => ((a.known_time ?? '') < (b.known_time ?? '') ? -1 : 1)).map((r) => [r.index, r]),
      );
      expect(rows.map((r) => [r.index, r.x])).toEqual(
        [...newest.values()].sort((a, b) => Number(a.index) - Number(b.index)).map((r) => [r.index, [...r.x]]),
      );
    }
  });

  it('find for each decision the features that its device computed, to the bit', async () => {
    const rows = await ask('decisions-with-features', {
      feature_set: SET,
      asset: 'm1',
      from: at(0),
      to: at(100),
    });
    expect(rows.map((r) => [r['id'], r['x'] === null ? null : JSON.parse(r['x'] as string)])).toEqual(
      decisions.map((d) => [d.id, d.features]),
    );
    expect(rows.length).toBe(60);
  });

  it('find every value of a signal once, however often it was sent', async () => {
    const rows = await ask('observations-of-signal', SIGNAL);
    expect(rows.map((r) => [r['source_time'], Number(r['value']), r['quality']])).toEqual(
      points.map((p) => [p.t, p.v, p.q]),
    );
    expect(await ask('observations-of-signal', { ...SIGNAL, to: landed(0) })).toEqual([]);
  });

  it('compute statistics of the good values of each hour', async () => {
    const rows = await ask('hourly-statistics', SIGNAL);
    const hours = Map.groupBy(
      points.filter((p) => p.q === 'GOOD'),
      (p) => `${p.t.slice(0, 13)}:00:00.000Z`,
    );
    expect(rows.map((r) => [r['hour'], Number(r['good_values'])])).toEqual(
      [...hours].map(([hour, some]) => [hour, some.length]),
    );
    for (const [i, some] of [...hours.values()].entries()) {
      const values = some.map((p) => p.v);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      expect(Number(rows[i]?.['mean'])).toBeCloseTo(mean, 9);
      expect(Number(rows[i]?.['std'])).toBeCloseTo(
        Math.sqrt(values.reduce((a, v) => a + (v - mean) ** 2, 0) / values.length),
        9,
      );
      expect([Number(rows[i]?.['lowest']), Number(rows[i]?.['highest'])]).toEqual([
        Math.min(...values),
        Math.max(...values),
      ]);
    }
  });

  it('say of each stretch of bad data what was said last', async () => {
    const brief = (rows: Record<string, string | null>[]) =>
      rows.map((r) => [r['check'], r['signal'], r['open'], Number(r['count'])]);
    expect(brief(await ask('findings', TODAY))).toEqual([
      ['stuck', "oil's heat", 'false', 9],
      ['gap', 'other', 'true', 5],
    ]);
    expect(brief(await ask('open-findings', TODAY))).toEqual([['gap', 'other', 'true', 5]]);
    expect(brief(await ask('findings-of-signal', { ...TODAY, asset: 'm1', signal: "oil's heat" }))).toEqual([
      ['stuck', "oil's heat", 'false', 9],
    ]);
  });

  it('count what is bad, and what came each day', async () => {
    const [worst] = await ask('bad-share', TODAY);
    expect([worst?.['signal'], Number(worst?.['all_values']), Number(worst?.['bad_share'])]).toEqual([
      "oil's heat",
      150,
      0.1,
    ]);
    const decided = await ask('rows-by-day', { table: 'decisions', first_day: dayOf(at(0)), last_day: dayOf(at(90)) });
    expect(decided.reduce((sum, r) => sum + Number(r['all_rows']), 0)).toBe(60);
    const days = await ask('feature-rows-by-day', {
      feature_set: SET,
      first_day: dayOf(at(0)),
      last_day: dayOf(at(90)),
    });
    expect(days.reduce((sum, r) => sum + Number(r['all_rows']), 0)).toBe(stored.length);
    expect(days.reduce((sum, r) => sum + Number(r['corrections']), 0)).toBe(4);
  });

  const python = path.join(REPOSITORY, '.venv/bin/python');
  (existsSync(python) ? it : it.skip)('are at one with the Python reader of the store, over S3', () => {
    const script = `
import json, sys
from millwright_training.store import FeatureStore
given = json.load(sys.stdin)
store = FeatureStore("s3://" + given["bucket"], site="plant-a", endpoint=given["endpoint"], region="us-east-1")
frame = store.frame(given["set"], {"asset": ["m1"] * len(given["times"]), "time": given["times"]})
print(json.dumps([store.catalogue().to_pylist(), frame.select(["index", "x0", "x1"]).to_pylist()]))
`;
    const times = [5, 20.5, 30, 49.9, 50, 57].map((hour) => at(hour));
    const { stdout, stderr, status } = spawnSync(python, ['-c', script], {
      input: JSON.stringify({ bucket: plant.names.lakeBucket, endpoint: plant.client.endpoint, set: SET, times }),
      encoding: 'utf8',
      env: {
        PATH: process.env['PATH'],
        PYTHONPATH: path.join(REPOSITORY, 'training'),
        AWS_ACCESS_KEY_ID: plant.client.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: plant.client.credentials.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const [catalogue, rows] = JSON.parse(stdout);
    expect(catalogue).toMatchObject([{ feature_set: SET, site: SITE, assets: 1, runs: 1 }]);
    const expected = joined(
      times.map((time) => ({ time })),
      at(1000),
    );
    expect(rows).toEqual(expected.map((r) => ({ index: r.index, x0: r.x[0], x1: r.x[1] })));
  });

  it('were all asked here', () => {
    expect([...asked].sort()).toEqual(Object.keys(QUERIES).sort());
  });
});
