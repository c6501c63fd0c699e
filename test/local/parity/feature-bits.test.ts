import { execFile } from 'node:child_process';
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { DatasetSnapshot, type MaterialiseItem } from '#core/contracts/dataset-snapshot.ts';
import { DecisionRecord } from '#core/contracts/decision.ts';
import { lakeKeys } from '#core/contracts/lake.ts';
import { registryKeys } from '#core/contracts/ledger.ts';
import { platformNames } from '#core/contracts/names.ts';
import type { RunHistory } from '#core/contracts/source.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { windowLength } from '#core/features/engine/plan.ts';
import { materialiseRange, materialiseRun } from '#core/features/engine/rows.ts';
import { readParquet } from '#core/lake/parquet.ts';
import { digestBytes, digestOf } from '#core/lineage/digest.ts';
import { endOfRun } from '#core/outcomes/labels.ts';
import { s3Store } from '../../../lambdas/shared/object-store.ts';
import type { LocalAws } from '../../../local/aws/start-aws.ts';
import { makePackage, newSigner, writePackage } from '../../support/model-package.ts';
import { linearOnnx } from '../../support/tiny-onnx.ts';
import { client, NODE, REPOSITORY, startForTest, stateFolder } from '../aws/local-aws.ts';
import { runtimeConfiguration, SITE, STAGE, startEdgeDevice } from '../edge/edge-device.ts';
import { LIVES } from './recorded-lives.ts';

const LAMBDA = join(REPOSITORY, '.build/lambdas/materialise/index.mjs');
const COMPONENT = join(REPOSITORY, '.build/components/runtime');
/** As many as a machine keeps in flight. */
const IN_FLIGHT = 8;

const planes = JSON.parse(readFileSync(join(REPOSITORY, 'config/local.json'), 'utf8')).planes;
const names = platformNames({ stage: STAGE, planes });
/** The doubles of each vector as they lie in memory, by frame: equality of numbers would take −0 for 0. */
type Bits = Record<number, string>;
const bitsOf = (vectors: Iterable<readonly [index: number, x: readonly number[]]>): Bits =>
  Object.fromEntries([...vectors].map(([i, x]) => [i, Buffer.from(Float64Array.from(x).buffer).toString('hex')]));

const endOf = (life: RunHistory): number | null =>
  endOfRun(life.events, life, '2100-01-01T00:00:00.000Z')?.index ?? null;

const fromSource = (useCase: UseCase, life: RunHistory): Bits =>
  bitsOf(materialiseRun(useCase, life.frames, endOf(life)).map((r) => [r.index, r.x]));

/** Rows of the life, shard by shard, each from only the frames that it needs. */
const fromRanges = (useCase: UseCase, life: RunHistory, length: number): Bits => {
  const before = windowLength(useCase.featureSet) - 1;
  const rows = life.frames.flatMap((_, i) => {
    if (i % length > 0) return [];
    const frames = life.frames.slice(Math.max(0, i - before), i + length);
    return materialiseRange(useCase, frames, { first: i + 1, last: i + length });
  });
  return bitsOf(rows.map((r) => [r.index, r.x]));
};

/** Runs the built function as the platform does: a process, its environment, an event in, an answer out. */
const invokeMaterialise = async (aws: LocalAws, event: MaterialiseItem): Promise<{ key: string }> => {
  const script =
    'const { handler } = await import(process.argv[1]); console.log(JSON.stringify(await handler(JSON.parse(process.argv[2]))))';
  const { stdout } = await promisify(execFile)(
    NODE,
    ['--input-type=module', '-e', script, pathToFileURL(LAMBDA).href, JSON.stringify(event)],
    {
      timeout: 60_000,
      env: {
        MILLWRIGHT_STAGE: STAGE,
        MILLWRIGHT_PLANES: JSON.stringify(planes),
        AWS_ENDPOINT_URL: aws.url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
      },
    },
  );
  return JSON.parse(stdout);
};

const fromLambda = async (aws: LocalAws, useCase: UseCase, life: RunHistory): Promise<Bits> => {
  const s3 = new S3Client(client(aws.url));
  const lake = s3Store(s3, names.lakeBucket);
  const { asset, run, frames } = life;
  const key = lakeKeys.frames({ site: SITE, asset, run, first: 1, last: frames.length });
  const object = await lake.put(key, gzipSync(frames.map((f) => JSON.stringify(f)).join('\n')));
  const useCaseDigest = digestOf(useCase);
  const snapshot = DatasetSnapshot.parse({
    schema: 'dataset-snapshot/1',
    modelLine: `${useCase.id}/${SITE}`,
    useCaseDigest,
    featureSetDigest: digestOf(useCase.featureSet),
    label: useCase.label,
    knownUntil: '2100-01-01T00:00:00.000Z',
    runs: [{ asset, run, split: 'train', frames: frames.length, endedAt: endOf(life), objects: [object] }],
  });
  const snapshotDigest = digestOf(snapshot);
  await lake.put(lakeKeys.snapshot(snapshotDigest), Buffer.from(JSON.stringify(snapshot)));
  await DynamoDBDocumentClient.from(new DynamoDBClient(client(aws.url))).send(
    new PutCommand({
      TableName: names.registry.name,
      Item: {
        ...registryKeys.latest('use-case', useCaseDigest),
        class: 'use-case',
        id: useCaseDigest,
        version: 1,
        at: '2026-01-01T00:00:00.000Z',
        actor: 'test',
        bodyDigest: useCaseDigest,
        body: useCase,
      },
    }),
  );
  const answer = await invokeMaterialise(aws, {
    snapshotDigest,
    snapshotKey: lakeKeys.snapshot(snapshotDigest),
    part: 0,
    runs: [`${asset}/${run}`],
    split: 'train',
  });
  const rows = await readParquet(await lake.get(answer.key));
  return bitsOf(rows.map((r) => [r['index'] as number, r['x'] as number[]]));
};

/** A package that computes the use case's features; what its model makes of them does not matter here. */
const packageFor = (useCase: UseCase, signer: ReturnType<typeof newSigner>) => {
  const { features } = useCase.featureSet;
  const featureSetDigest = digestOf(useCase.featureSet);
  const model = linearOnnx(
    features.map(() => 0),
    1,
  );
  const golden = new Uint8Array(Float32Array.from(features, () => 0).buffer);
  const baseline: BaselineSpec = {
    schema: 'baseline/2',
    featureSetDigest,
    rows: 1,
    windows: { rows: 100, count: 0 },
    features: features.map(({ name }) => ({
      name,
      cells: { kind: 'numeric', edges: [0], atoms: [], range: null, center: 0, scale: 1 },
      counts: [0, 1, 0, 0, 0, 0],
    })),
    joint: null,
    contexts: [],
  };
  const baselineBytes = Buffer.from(JSON.stringify(baseline));
  const made = makePackage(signer, {
    budgetMs: 60_000,
    change: (m) => ({
      ...m,
      featureSet: useCase.featureSet,
      featureSetDigest,
      signals: useCase.signals,
      label: useCase.label,
      inputEnvelope: features.map(() => [-1e12, 1e12]),
      variants: m.variants.map((v) => ({ ...v, digest: digestBytes(model), bytes: model.length })),
      golden: {
        ...m.golden,
        digest: digestBytes(golden),
        features: features.length,
        samples: [{ row: 0, expected: 1 }],
      },
      baseline: { ...m.baseline, digest: digestBytes(baselineBytes) },
    }),
  });
  const files = new Map(made.files)
    .set('model.fp32.onnx', model)
    .set('golden.bin', golden)
    .set('baseline.json', baselineBytes);
  return { digest: made.digest, files };
};

const fromDevice = async (useCase: UseCase, life: RunHistory): Promise<Bits> => {
  const signer = newSigner();
  const device = await startEdgeDevice({
    'millwright.runtime': runtimeConfiguration(signer),
  });
  try {
    await device.start('runtime');
    const { digest, files } = packageFor(useCase, signer);
    expect(await device.adopt(writePackage(join(device.dir, 'package'), files), digest)).toMatchObject({ code: 0 });
    const runtime = device.client();
    const decisions: DecisionRecord[] = [];
    for (let i = 0; i < life.frames.length; i += IN_FLIGHT) {
      const sent = life.frames.slice(i, i + IN_FLIGHT).map((frame) => runtime.request({ op: 'decide', frame }, 20_000));
      decisions.push(...(await Promise.all(sent)).map((answer) => DecisionRecord.parse(answer)));
    }
    return bitsOf(decisions.flatMap((d) => (d.features === null ? [] : [[d.index, d.features] as const])));
  } finally {
    await device.stop();
  }
};

/** Sources changed after a bundle was built from them. */
const newerThan = (built: string, sources: readonly string[]): string[] =>
  sources.filter((s) => statSync(join(REPOSITORY, s)).mtimeMs > statSync(built).mtimeMs);

let folder: ReturnType<typeof stateFolder>;
let aws: LocalAws | undefined;

beforeAll(async () => {
  folder = stateFolder();
  for (const built of [LAMBDA, COMPONENT])
    if (!existsSync(built)) throw new Error(`${built} is missing: run "npm run build" first`);
  aws = await startForTest(folder.dir);
  const s3 = new S3Client(client(aws.url));
  await s3.send(new CreateBucketCommand({ Bucket: names.lakeBucket }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: names.lakeBucket, VersioningConfiguration: { Status: 'Enabled' } }),
  );
  await new DynamoDBClient(client(aws.url)).send(
    new CreateTableCommand({
      TableName: names.registry.name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
}, 90_000);
afterAll(async () => {
  await aws?.stop();
  folder.remove();
}, 30_000);

describe('the bundles under test', () => {
  it('have the function as its sources are now', () => {
    const map = JSON.parse(readFileSync(`${LAMBDA}.map`, 'utf8')) as { sources: string[] };
    const sources = map.sources
      .map((s) => resolve(dirname(LAMBDA), s))
      .filter((s) => !s.includes('/node_modules/'))
      .map((s) => s.slice(REPOSITORY.length + 1));
    expect(sources).toContain('core/features/engine/vector.ts');
    expect(newerThan(LAMBDA, sources)).toEqual([]);
  });

  it('have the component as its sources are now', () => {
    const sources = globSync(['core/**/*.ts', 'greengrass-components/{runtime,shared}/*'], { cwd: REPOSITORY });
    expect(newerThan(join(COMPONENT, 'artifacts.json'), sources)).toEqual([]);
  });
});

for (const { what, isThere, useCase, life: lifeOf } of LIVES) {
  if (!isThere) console.warn(`skipped: ${what}, the recordings are not there`);
  (isThere ? describe : describe.skip)(what, () => {
    let life: RunHistory;
    let expected: Bits;
    beforeAll(() => {
      life = lifeOf();
      expected = fromSource(useCase, life);
    });

    it('has features at nearly every frame', () => {
      expect(Object.keys(expected).length).toBeGreaterThan(0.9 * life.frames.length - 12);
    });

    it('has the same bits from shards that begin at any frame', () => {
      const all = fromRanges(useCase, life, life.frames.length);
      for (const length of [1, 7, 50]) expect(fromRanges(useCase, life, length)).toEqual(all);
    });

    it('is materialised by the built function to the bits of the source', async () => {
      expect(await fromLambda(aws as LocalAws, useCase, life)).toEqual(expected);
    }, 90_000);

    it('is decided on by the built runtime from the bits of the source', async () => {
      expect(await fromDevice(useCase, life)).toEqual(expected);
    }, 120_000);
  });
}
