import { gzipSync } from 'node:zlib';
import { featureSetRecord } from '#core/feature-sets/record.ts';
import { writeParquet } from '#core/lake/parquet.ts';
import type { Frame } from '../../../core/contracts/frame.ts';
import { artifactKeys, lakeKeys } from '../../../core/contracts/lake.ts';
import type { ModelPackageManifest } from '../../../core/contracts/model-package.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { verifyPackage } from '../../../core/inference/verify-package.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { errorsOf, makeHandler as evaluate } from '../../../lambdas/evaluate/handler.ts';
import { makeHandler as evaluateReport } from '../../../lambdas/evaluate-report/handler.ts';
import { makeHandler as gate } from '../../../lambdas/gate/handler.ts';
import { featureColumns } from '../../../lambdas/materialise/handler.ts';
import { makeHandler as packageModel } from '../../../lambdas/package-model/handler.ts';
import { makeHandler as recordRetrain } from '../../../lambdas/record-retrain/handler.ts';
import { makeHandler as registerModel } from '../../../lambdas/register-model/handler.ts';
import { makeHandler as resolveTrigger } from '../../../lambdas/resolve-trigger/handler.ts';
import { sayFault } from '../../../lambdas/shared/fault.ts';
import { sha256 } from '../../../lambdas/shared/object-store.ts';
import { clip, instantOf, type RetrainRun, readUseCase } from '../../../lambdas/shared/retrain-run.ts';
import { makeHandler as snapshotDataset } from '../../../lambdas/snapshot-dataset/handler.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { memoryLedger, memoryStore, recordCommand, refusingSecondFirsts, registryOf } from '../../support/fakes.ts';

const SITE = 'plant-a';
const LINE = `tiny/${SITE}`;
const STARTED = '2026-02-01T00:00:00.000Z';
const WIDTH = 2;

const tiny: UseCase = {
  schema: 'use-case/1',
  id: 'tiny',
  version: 1,
  title: 'Tiny',
  owner: 'maintenance',
  assetClass: 'spindle',
  indexUnit: 'hour',
  signals: [
    { name: 'a', unit: '1', kind: 'scalar', range: [0, 100] },
    { name: 'b', unit: '1', kind: 'scalar', range: [0, 100] },
  ],
  featureSet: {
    schema: 'feature-set/1',
    id: 'tiny',
    owner: 'maintenance',
    description: 'two',
    features: [
      { name: 'a', feature: 'latest', signal: 'a', window: 1, params: {} },
      { name: 'b', feature: 'latest', signal: 'b', window: 1, params: {} },
    ],
  },
  label: { outcome: 'remaining-useful-life', from: 'failure', cap: 5, unit: 'h' },
  trainer: { algorithm: 'mlp-regressor', hyperparameters: { epochs: 1 }, seed: 1, maxRuntimeSeconds: 60 },
  gate: {
    minTrainRuns: 3,
    minTestRuns: 2,
    maxRmse: 2,
    maxRmseOverChampion: 1.1,
    minSinceRuns: 8,
    maxRmseOverChampionSince: 1,
    maxVariantRmseRatio: 1.1,
  },
  thresholds: { alarmBelow: 1, undecidedBelow: 2 },
  fallback: { kind: 'hold', message: 'hold' },
  rollout: {
    riskClass: 'automatic',
    rings: [0],
    minDecisionsPerDevice: 1,
    maxFallbackShare: 0.5,
    bakeSeconds: 0,
    waveTimeoutSeconds: 60,
    shadow: { tolerance: 15, batch: 5, maxDisagreement: 0.1, margin: 0.3, alpha: 0.001, beta: 0.05 },
  },
  judging: {
    lossTolerance: 0.03,
    alarmAt: 1000,
    minOutcomes: 36,
    leaveAfter: 8,
    cooldownDays: 7,
    maxRetrains: 3,
    budgetDays: 90,
    maturityDays: 14,
    psiWatch: 0.02,
    psiSerious: 0.1,
    alpha: 0.01,
  },
  nextAction: {
    fail: 'plan an exchange within the time that is left; open the machine and say what was found',
    undecided: 'look at the machine at the next stop',
  },
  latencyBudgetMs: 100,
  expiresAfterDays: 30,
  seal: { testShare: 0.3, calibrationShare: 0.2, salt: 's' },
};
const useCaseDigest = digestOf(tiny);

const line = (more: object = {}) =>
  recordCommand('model-line', LINE, { ...aModelLine(LINE, useCaseDigest), lastReleaseNumber: 3, ...more });
const request = {
  modelLine: LINE,
  site: SITE,
  cause: 'person',
  requestedBy: 'anna',
  reason: 'why not',
  requestId: 'req-1',
} as const;
const execution = { id: 'arn:aws:states:x:execution:mw:e-1', name: 'e-1', startedAt: STARTED };
const run: RetrainRun = {
  go: true,
  execution: 'e-1',
  executionId: execution.id,
  startedAt: STARTED,
  request,
  useCaseDigest,
  jobName: 'mw-x-1',
  champion: null,
};
const frames = (r: number): Frame[] =>
  Array.from({ length: 8 }, (_, i) => ({
    schema: 'frame/1',
    site: SITE,
    asset: 'spindle-01',
    run: `r-${r}`,
    index: i + 1,
    context: 'c',
    sourceTime: STARTED,
    receivedTime: STARTED,
    signals: { a: { value: 8 - (i + 1), quality: 'GOOD' }, b: { value: r, quality: 'GOOD' } },
  }));

/** A plant with runs that ended, its snapshot and features of the test split. */
const world = async (runs = 20, aside = '') => {
  const lake = memoryStore('the-lake');
  const work = memoryStore('the-work');
  const artifacts = memoryStore('the-artifacts');
  const ledger = memoryLedger();
  ledger.commands.push(recordCommand('use-case', useCaseDigest, tiny), line());
  for (let r = 0; r < runs; r++) {
    const key = lakeKeys.frames({ site: SITE, asset: 'spindle-01', run: `r-${r}`, first: 1, last: 8 });
    const bytes = gzipSync(
      frames(r)
        .map((f) => `${JSON.stringify(f)}\n`)
        .join('') + aside,
    );
    await lake.put(key, bytes);
    ledger.commands.push(
      recordCommand('raw-object', key, {
        schema: 'raw-object/1',
        bucket: lake.bucket,
        key,
        versionId: null,
        digest: sha256(bytes),
        bytes: bytes.byteLength,
        site: SITE,
        asset: 'spindle-01',
        run: `r-${r}`,
        firstIndex: 1,
        lastIndex: 8,
        frames: 8,
        quarantined: 0,
        signals: ['a', 'b'],
      }),
      recordCommand('plant-event', `${SITE}/e-${r}`, {
        schema: 'plant-event/1',
        eventId: `e-${r}`,
        kind: 'failure',
        site: SITE,
        asset: 'spindle-01',
        run: `r-${r}`,
        index: 8,
        validTime: STARTED,
        knownTime: '2026-01-15T00:00:00.000Z',
        reportedBy: 'm',
        detail: {},
      }),
    );
  }
  const registry = registryOf(ledger.commands);
  const snapshot = snapshotDataset({ registry, ledger, lake, work, artifactsBucket: artifacts.bucket });
  return { lake, work, artifacts, ledger, registry, snapshot };
};
type World = Awaited<ReturnType<typeof world>>;

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

/** Everything up to evaluation, with a model that is off by `error`. */
const evaluated = async (
  error: { fp32: number; int8?: number; champion?: number },
  champion: RetrainRun['champion'] = null,
  w?: World,
) => {
  const here = w ?? (await world());
  const theRun = { ...run, champion };
  const snapshot = await here.snapshot({ run: theRun });
  const items = Buffer.from(await here.work.get(snapshot.testItemsKey))
    .toString()
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l));
  for (const item of items) {
    const rows = (item.runs as string[]).flatMap((name) => {
      const r = name.split('/')[1] as string;
      return frames(0).map((f) => ({
        asset: 'spindle-01',
        run: r,
        index: f.index,
        sourceTime: STARTED,
        label: Math.min(8 - f.index, 5),
        x: [8 - f.index, 1],
      }));
    });
    await here.lake.put(
      lakeKeys.features({
        featureSet: snapshot.featureSetDigest,
        snapshot: snapshot.digest,
        split: 'test',
        part: item.part,
      }),
      writeParquet(featureColumns(rows, 'test')),
    );
  }
  for (const [name, bytes] of Object.entries({ 'model.fp32.onnx': 'fp32', 'model.int8.onnx': 'int8' }))
    await here.artifacts.put(`${snapshot.candidatePrefix}${name}`, Buffer.from(bytes));
  const errors: Record<string, number> = { int8: error.fp32, ...error };
  const step = evaluate({
    lake: here.lake,
    artifacts: here.artifacts,
    runModel: async (model, x, width) =>
      Float32Array.from(
        { length: x.length / width },
        (_, i) => Math.min(x[i * width] as number, 5) + (errors[Buffer.from(model).toString()] as number),
      ),
  });
  for (const item of items) await step({ run: theRun, snapshot, item });
  const train = { job: run.jobName, model: 's3://b/model.tar.gz' };
  const report = () =>
    evaluateReport({ lake: here.lake, work: here.work, artifacts: here.artifacts })({ run: theRun, snapshot, train });
  return { ...here, run: theRun, snapshot: snapshot, takeSnapshot: here.snapshot, items, train, report };
};
const judged = async (error: Parameters<typeof evaluated>[0], champion: RetrainRun['champion'] = null, w?: World) => {
  const e = await evaluated(error, champion, w);
  const report = await e.report();
  return { ...e, report, gate: () => gate(e)({ run: e.run, snapshot: e.snapshot, report }) };
};
const packaged = async () => {
  const j = await judged({ fp32: 0.5 });
  const files = {
    'envelope.json': json({
      schema: 'envelope/1',
      ranges: [
        [0, 9],
        [0, 9],
      ],
    }),
    'golden.json': json({ samples: [{ row: 0, expected: 1 }], tolerance: 0.001, int8Tolerance: 0.5 }),
    'golden.bin': new Uint8Array(4 * WIDTH),
    'baseline.json': json({
      schema: 'baseline/1',
      featureSetDigest: j.snapshot.featureSetDigest,
      rows: 9,
      features: ['a', 'b'].map((name) => ({ name, edges: [1], shares: [0.5, 0.5], mean: 1, std: 1 })),
    }),
    'metrics.json': json({
      schema: 'training-metrics/1',
      snapshotDigest: j.snapshot.digest,
      featureSetDigest: j.snapshot.featureSetDigest,
      trainRows: 9,
      calibrationRows: 3,
      trainRmse: 1,
      calibrationRmse: 1,
      seed: 1,
      settings: {},
      libraries: {},
    }),
    'quantize.json': json({
      schema: 'quantize-report/1',
      method: 'static-qdq-int8',
      calibrationRows: 3,
      fp32Bytes: 4,
      int8Bytes: 4,
      maxAbsDifference: 0.1,
    }),
  };
  for (const [name, bytes] of Object.entries(files))
    await j.artifacts.put(`${j.snapshot.candidatePrefix}${name}`, bytes);
  const verdict = await j.gate();
  const input = { run: j.run, snapshot: j.snapshot, train: j.train, report: j.report, gate: verdict };
  const pack = (more: Partial<Parameters<typeof packageModel>[0]> = {}) =>
    packageModel({ ...j, sign: async () => ({ keyId: 'key-1', signature: new Uint8Array([1, 2]) }), ...more })(input);
  return { ...j, input, pack };
};

describe('resolve-trigger', () => {
  const deps = (w: World, running = true) => ({
    ...w,
    prefix: 'mw-x',
    isRunning: async () => running,
    policy: { cooldownSeconds: 3600, debounceSeconds: 300 },
  });
  test('registers the retrain before it asks, and goes', async () => {
    const w = await world(0);
    const answer = await resolveTrigger(deps(w))({ execution, request });
    expect(answer).toMatchObject({
      go: true,
      execution: 'e-1',
      useCaseDigest,
      champion: null,
      jobName: expect.stringMatching(/^mw-x-[0-9a-f]{16}$/),
    });
    expect(w.ledger.commands.at(-1)).toMatchObject({
      commandId: 'retrain/e-1/running',
      record: { class: 'retrain', id: 'req-1', body: { status: 'running' } },
    });
  });
  test('the same execution asked again goes again', async () => {
    const w = await world(0);
    await resolveTrigger(deps(w))({ execution, request });
    expect(await resolveTrigger(deps(w))({ execution, request })).toMatchObject({ go: true });
  });
  test('another execution of the same request is a duplicate and records nothing', async () => {
    const w = await world(0);
    await resolveTrigger(deps(w))({ execution, request });
    const before = w.ledger.commands.length;
    await expect(
      resolveTrigger(deps(w))({ execution: { ...execution, id: 'arn:other' }, request }),
    ).rejects.toMatchObject({ name: 'Duplicate' });
    expect(w.ledger.commands).toHaveLength(before);
  });
  test('of two executions of one request that start together, one goes and the other is its duplicate', async () => {
    const w = await world(0);
    const ledger = refusingSecondFirsts(w.ledger);
    const asked = ['e-1', 'e-2'].map((name) =>
      resolveTrigger({ ...deps(w), ledger })({ execution: { ...execution, name, id: `arn:${name}` }, request }),
    );
    expect(
      (await Promise.allSettled(asked)).map((a) => (a.status === 'rejected' ? a.reason.name : a.value.go)),
    ).toEqual([true, 'Duplicate']);
  });
  test('hands on what the ledger says that is no conflict', async () => {
    const w = await world(0);
    await expect(
      resolveTrigger({ ...deps(w), ledger: memoryLedger(new Error('no such table')) })({ execution, request }),
    ).rejects.toThrow('no such table');
  });
  test.each([
    ['a line that is not published', { modelLine: 'other/plant-a' }, 'publish its use case first'],
    ['a line of another site', { site: 'plant-b' }, 'is of site plant-a, not of plant-b'],
  ])('refuses %s', async (_, more, message) => {
    const w = await world(0);
    await expect(resolveTrigger(deps(w))({ execution, request: { ...request, ...more } })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining(message),
    });
  });
  test('refuses a line whose feature set is retired, with who and why', async () => {
    const w = await world(0);
    const retired = { by: 'cli:ann', reason: 'sensor gone', at: STARTED, breaks: [] };
    await w.ledger.write([
      recordCommand('feature-set', digestOf(tiny.featureSet), { ...featureSetRecord(tiny), retired }),
    ]);
    await expect(resolveTrigger(deps(w))({ execution, request })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('was retired by cli:ann: sensor gone; publish the use case with another one'),
    });
  });
  test('a twin that runs makes it decline', async () => {
    const w = await world(0);
    await resolveTrigger(deps(w))({
      execution: { ...execution, id: 'arn:first', name: 'first' },
      request: { ...request, requestId: 'aaa' },
    });
    expect(await resolveTrigger(deps(w))({ execution, request })).toMatchObject({
      go: false,
      why: expect.stringContaining('already running'),
    });
    expect(await resolveTrigger(deps(w, false))({ execution, request })).toMatchObject({ go: true });
  });
});

describe('snapshot-dataset', () => {
  test('writes manifest and work lists, and edges to every raw object and failure', async () => {
    const w = await world();
    const answer = await w.snapshot({ run });
    expect(digestOf(JSON.parse(Buffer.from(await w.lake.get(lakeKeys.snapshot(answer.digest))).toString()))).toBe(
      answer.digest,
    );
    const edges = w.ledger.commands.filter((c) => c.record.class === 'snapshot').flatMap((c) => c.edges ?? []);
    expect(edges.filter((e) => e.to.startsWith('raw-object:'))).toHaveLength(20);
    expect(edges.filter((e) => e.to.startsWith('plant-event:'))).toHaveLength(20);
    expect(edges.map((e) => e.to)).toContain(`feature-set:${digestOf(tiny.featureSet)}`);
    expect(w.ledger.commands.every((c) => (c.edges ?? []).length <= 40)).toBe(true);
    expect(Object.values(answer.hyperparameters).every((v) => typeof v === 'string')).toBe(true);
    expect(answer.hyperparameters).not.toHaveProperty('season');
  });
  test('tells the trainer that inputs follow the time of day, where the use case says so', async () => {
    const w = await world();
    const season = { hours: 8, weekdays: true };
    const seasonal = { ...tiny, judging: { ...tiny.judging, drift: { season } } };
    await w.ledger.write([recordCommand('use-case', digestOf(seasonal), { ...seasonal })]);
    const { hyperparameters } = await w.snapshot({ run: { ...run, useCaseDigest: digestOf(seasonal) } });
    expect(JSON.parse(hyperparameters.season ?? '')).toEqual(season);
  });
  test('repeated, it says and writes the same', async () => {
    const w = await world();
    const first = await w.snapshot({ run });
    const ids = w.ledger.commands.filter((c) => c.record.class === 'snapshot').map((c) => c.commandId);
    expect(await w.snapshot({ run })).toEqual(first);
    expect(w.ledger.commands.filter((c) => c.record.class === 'snapshot').map((c) => c.commandId)).toEqual([
      ...ids,
      ...ids,
    ]);
  });
  test('refuses too little data, naming the shortfall', async () => {
    const w = await world(2);
    await expect(w.snapshot({ run })).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringMatching(/too little data for tiny\/plant-a .* more ended runs/),
    });
  });
});

describe('evaluate and its report', () => {
  test('the error is the one the model has, the same every time', async () => {
    const e = await evaluated({ fp32: 0.5, int8: 0.6 });
    const ref = await e.report();
    const report = JSON.parse(Buffer.from(await e.artifacts.get(ref.key)).toString());
    expect(report.challenger.fp32.rmse).toBeCloseTo(0.5, 5);
    expect(report.challenger.int8.rmse).toBeCloseTo(0.6, 5);
    expect(await e.report()).toEqual(ref);
  });
  test('a model that answers no number is refused by the report', async () => {
    const e = await evaluated({ fp32: 0.5, int8: Number.NaN });
    await expect(e.report()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('int8 answers NaN'),
    });
  });
  test('a shard that is missing fails the report', async () => {
    const e = await evaluated({ fp32: 0.5 });
    e.artifacts.objects.delete(artifactKeys.evaluationShard(LINE, 'req-1', e.items[0].part));
    await expect(e.report()).rejects.toThrow('does not exist');
  });
  test('the report names the bytes that were judged', async () => {
    const e = await evaluated({ fp32: 0.5 });
    const { key } = await e.report();
    expect(JSON.parse(Buffer.from(await e.artifacts.get(key)).toString()).models).toEqual({
      fp32: sha256(Buffer.from('fp32')),
      int8: sha256(Buffer.from('int8')),
    });
  });
  test('parts that judged different bytes are refused', async () => {
    const e = await evaluated({ fp32: 0.5 });
    const key = artifactKeys.evaluationShard(LINE, 'req-1', e.items[0].part);
    const shard = JSON.parse(Buffer.from(await e.artifacts.get(key)).toString());
    shard.shards[1].model = `sha256:${'0'.repeat(64)}`;
    await e.artifacts.put(artifactKeys.evaluationShard(LINE, 'req-1', 9), json(shard));
    await e.work.put(
      e.snapshot.testItemsKey,
      Buffer.from(`${e.items.map((i) => JSON.stringify(i)).join('\n')}\n${JSON.stringify({ ...e.items[0], part: 9 })}`),
    );
    await expect(e.report()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringMatching(
        /^model\.int8\.onnx was .* in one part of the evaluation and sha256:0+ in another/,
      ),
    });
  });
  test('features that were not materialised fail the part', async () => {
    const e = await evaluated({ fp32: 0.5 });
    for (const key of e.lake.objects.keys()) if (key.startsWith('features/')) e.lake.objects.delete(key);
    await expect(
      evaluate({ lake: e.lake, artifacts: e.artifacts, runModel: async () => new Float32Array() })({
        run: e.run,
        snapshot: e.snapshot,
        item: e.items[0],
      }),
    ).rejects.toThrow('does not exist');
  });

  /** A champion with this manifest, in the bucket. */
  const champion = async (
    w: World,
    more: Partial<ModelPackageManifest>,
    snapshotRuns: 'none' | 'all' | { without: string[] },
  ) => {
    const p = await packaged();
    const from = await p.pack();
    const manifest = {
      ...JSON.parse(Buffer.from(await p.artifacts.get(`${from.prefix}manifest.json`)).toString()),
      ...more,
    };
    const probe = await w.snapshot({ run });
    const theirs = JSON.parse(Buffer.from(await w.lake.get(lakeKeys.snapshot(probe.digest))).toString());
    if (snapshotRuns === 'all') for (const r of theirs.runs) r.split = 'train';
    if (typeof snapshotRuns === 'object')
      theirs.runs = theirs.runs.filter((r: { run: string }) => !snapshotRuns.without.includes(r.run));
    const snapshotDigest = digestOf(theirs);
    await w.lake.put(lakeKeys.snapshot(snapshotDigest), json(theirs));
    await w.artifacts.put('packages/champion/manifest.json', json({ ...manifest, snapshotDigest }));
    await w.artifacts.put('packages/champion/model.fp32.onnx', Buffer.from('champion'));
    return { packageDigest: digestOf(manifest), packagePrefix: 'packages/champion/' };
  };
  test('the champion is judged on the same runs', async () => {
    const w = await world();
    const e = await judged({ fp32: 0.5, champion: 0.25 }, await champion(w, {}, 'none'), w);
    const report = JSON.parse(Buffer.from(await e.artifacts.get(e.report.key)).toString());
    expect(report.champion).toMatchObject({ runs: report.challenger.fp32.runs });
    await expect(e.gate()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining("on earlier runs its error is at most 2 times the champion's (1.1 allowed)"),
    });
  });
  test.each([
    ['are whole', ''],
    ['have a line that was put aside', '{"half":\n'],
  ])('a champion of another feature set sees its own features, from raw objects that %s', async (_, aside) => {
    const w = await world(20, aside);
    const featureSet = { ...tiny.featureSet, features: tiny.featureSet.features.slice(0, 1) };
    const e = await judged(
      { fp32: 0.5, champion: 0.5 },
      await champion(w, { featureSet, featureSetDigest: digestOf(featureSet) }, 'none'),
      w,
    );
    const report = JSON.parse(Buffer.from(await e.artifacts.get(e.report.key)).toString());
    expect(report.champion.rows).toBe(report.challenger.fp32.rows);
    expect(report.champion.rmse).toBeCloseTo(0.5, 5);
  });
  const sealed = async (w: World): Promise<string[]> => {
    const { digest } = await w.snapshot({ run });
    const { runs } = JSON.parse(Buffer.from(await w.lake.get(lakeKeys.snapshot(digest))).toString());
    return runs.filter((r: { split: string }) => r.split === 'test').map((r: { run: string }) => r.run);
  };
  const reportOf = async (e: { artifacts: World['artifacts']; report: { key: string } }) =>
    JSON.parse(Buffer.from(await e.artifacts.get(e.report.key)).toString());
  test('sealed runs that the snapshot of the champion does not have are those since it learnt', async () => {
    const w = await world();
    const all = await sealed(w);
    const e = await judged({ fp32: 0.25, champion: 0.5 }, await champion(w, {}, { without: all.slice(0, 2) }), w);
    const report = await reportOf(e);
    expect(report.since).toMatchObject({ challenger: { runs: 2 }, champion: { runs: 2 } });
    expect(report.since.ratio.upper).toBeCloseTo(0.5, 5);
    expect(report.earlier).toMatchObject({ challenger: { runs: all.length - 2 } });
  });
  test('without a champion there is nothing to compare, and no disagreement to expect', async () => {
    const report = await reportOf(await judged({ fp32: 0.5 }));
    expect(report).toMatchObject({ champion: null, earlier: null, since: null, expectedDisagreement: null });
    expect(report.parity).toEqual({ point: 1, lower: 1, upper: 1 });
  });
  test('the loss before it serves is the error as a share of the cap, one at most', async () => {
    expect((await reportOf(await judged({ fp32: 0.5 }))).validationLoss.mean).toBeCloseTo(0.5 / 5, 6);
    expect((await reportOf(await judged({ fp32: 50 }))).validationLoss).toMatchObject({
      mean: 1,
      upper: 1,
      error: [expect.any(Number), 1],
    });
    const [low, high] = (await reportOf(await judged({ fp32: -0.5 }))).validationLoss.error;
    expect(low).toBeLessThan(-0.1);
    expect(high).toBeGreaterThan(-0.1);
  });
  test.each([
    ['within the tolerance agree', 14, { share: 0, differsOn: [] }],
    ['beyond it do not: the champion is no reference for that machine', 16, { share: 0, differsOn: ['spindle-01'] }],
  ])('answers that differ %s', async (_, off, expected) => {
    const w = await world();
    const report = await reportOf(await judged({ fp32: 0, champion: off }, await champion(w, {}, 'none'), w));
    expect(report.expectedDisagreement).toEqual(expected);
  });
  test('where the champion has no row it disagrees', () => {
    const rows = [1, 2].map((index) => ({ asset: 'a', run: 'r', index, label: 1, x: [0, 0] }));
    const compare = { cap: 5, tolerance: 15, referenceUpTo: 0.4 };
    expect(errorsOf('fp32', 'sha256:x', rows, [1, 1], compare, new Map([['a/r/1', 1]])).perRun[0]).toMatchObject({
      rows: 2,
      disagreeing: 1,
    });
  });
  describe('a retrain for drift', () => {
    const forDrift = async (error: { fp32: number; champion: number }, since: number) => {
      const w = await world(60);
      const e = await judged(error, await champion(w, {}, { without: (await sealed(w)).slice(0, since) }), w);
      const theRun = { ...e.run, request: { ...request, cause: 'drift' } };
      return () => gate(e)({ run: theRun, snapshot: e.snapshot, report: e.report });
    };
    test('passes with a challenger that is better on what came since', async () => {
      expect(await (await forDrift({ fp32: 0.25, champion: 0.5 }, 8))()).toMatchObject({
        says: expect.stringContaining('on runs since the champion learnt its error is at most 0.5 times'),
      });
    });
    test('is refused with one that is not', async () => {
      await expect((await forDrift({ fp32: 0.5, champion: 0.49 }, 8))()).rejects.toMatchObject({
        name: 'Refused',
        message: expect.stringMatching(/^gate: fail; on runs since the champion learnt/),
      });
    });
    test('is refused as undecided when too little came since', async () => {
      await expect((await forDrift({ fp32: 0.25, champion: 0.5 }, 7))()).rejects.toMatchObject({
        name: 'Refused',
        message: 'gate: undecided; 7 sealed runs since the champion learnt (8 needed)',
      });
    });
  });
  test('when the champion learnt from every sealed run nothing is compared', async () => {
    const w = await world();
    const e = await evaluated({ fp32: 0.5, champion: 0.5 }, await champion(w, {}, 'all'), w);
    await expect(e.report()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('the champion learnt from every sealed run'),
    });
  });
});

describe('gate', () => {
  test('registers evidence and verdict also when it says no', async () => {
    const j = await judged({ fp32: 3 });
    await expect(j.gate()).rejects.toMatchObject({
      name: 'Refused',
      message: 'gate: fail; its error is at most 3 (2 allowed)',
    });
    expect(j.ledger.commands.at(-1)).toMatchObject({
      record: {
        class: 'evaluation',
        id: j.report.digest,
        body: {
          verdict: { verdict: 'fail' },
          criteria: { maxRmse: 2, useCaseDigest, fixedAt: STARTED },
        },
      },
    });
  });
  test('admits what it may', async () => {
    expect(await (await judged({ fp32: 1, int8: 1.5 })).gate()).toMatchObject({ admittedVariants: ['fp32'] });
  });
});

describe('package-model', () => {
  test('makes a package that a device takes, under the digest of its manifest', async () => {
    const p = await packaged();
    const made = await p.pack();
    expect(made.releaseNumber).toBe(4);
    const read = async (f: string) => JSON.parse(Buffer.from(await p.artifacts.get(`${made.prefix}${f}`)).toString());
    const files = new Map<string, string>();
    for (const key of await p.artifacts.list(made.prefix))
      files.set(key.slice(made.prefix.length), sha256(await p.artifacts.get(key)));
    const verdict = verifyPackage(
      { digest: made.digest, manifest: await read('manifest.json'), signature: await read('signature.json'), files },
      {
        modelLine: LINE,
        now: STARTED,
        verifySignature: (id, message) => id === 'key-1' && message === made.digest,
        serving: null,
        highestRelease: 3,
        revertTo: '',
      },
    );
    expect(verdict).toMatchObject({ ok: true });
    expect(p.ledger.commands.at(-1)).toMatchObject({
      record: { class: 'model-line', body: { lastReleaseNumber: 4 } },
      expectVersion: 1,
    });
  });
  test('a number that was lost to another is tried again', async () => {
    const p = await packaged();
    const conflict = Object.assign(new Error('expected version 1, found 2'), { name: 'VersionConflict' });
    await expect(p.pack({ ledger: memoryLedger(conflict) })).rejects.toMatchObject({ name: 'TryAgain' });
  });
  test('a ledger that fails otherwise fails the step', async () => {
    const p = await packaged();
    await expect(p.pack({ ledger: memoryLedger(new Error('down')) })).rejects.toThrow('down');
  });
  test('refuses files of another training', async () => {
    const p = await packaged();
    await p.artifacts.put(
      `${p.snapshot.candidatePrefix}envelope.json`,
      json({ schema: 'envelope/1', ranges: [[0, 1]] }),
    );
    await expect(p.pack()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('the feature set has 2 features; envelope.json has 1'),
    });
    await p.artifacts.put(
      `${p.snapshot.candidatePrefix}baseline.json`,
      json({ schema: 'baseline/1', featureSetDigest: useCaseDigest, rows: 1, features: [] }),
    );
    await expect(p.pack()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringContaining('of another training'),
    });
  });
  test('refuses a baseline of other features than the model reads', async () => {
    const p = await packaged();
    const { featureSetDigest } = p.snapshot;
    await p.artifacts.put(
      `${p.snapshot.candidatePrefix}baseline.json`,
      json({ schema: 'baseline/1', featureSetDigest, rows: 1, features: [] }),
    );
    await expect(p.pack()).rejects.toThrow('expected a, b as the feature set has them, got ');
  });
  test.each(['fp32', 'int8'])('refuses a %s model that is not the one that was judged', async (variant) => {
    const p = await packaged();
    await p.artifacts.put(`${p.snapshot.candidatePrefix}model.${variant}.onnx`, Buffer.from('swapped'));
    await expect(p.pack()).rejects.toMatchObject({
      name: 'Refused',
      message: expect.stringMatching(new RegExp(`model\\.${variant}\\.onnx is sha256:.*, but sha256:.* was judged`)),
    });
    expect(p.ledger.commands.some((c) => c.commandId.includes('/number/'))).toBe(false);
  });
  test('a report that is not the one that was named is not judged and not packaged', async () => {
    const p = await packaged();
    await p.artifacts.put(p.report.key, Buffer.from(JSON.stringify({ better: true })));
    await expect(p.gate()).rejects.toThrow(`expected ${p.report.digest}`);
    await expect(p.pack()).rejects.toThrow(`expected ${p.report.digest}`);
  });
  test('refuses when the line is gone', async () => {
    const p = await packaged();
    const registry = {
      latest: async (c: string, id: string) => (c === 'model-line' ? null : p.registry.latest(c as never, id)),
    };
    await expect(p.pack({ registry: registry as never })).rejects.toMatchObject({ name: 'Refused' });
  });
});

describe('register-model', () => {
  test('writes training run, retrain and package with their edges, and offers the release', async () => {
    const p = await packaged();
    const made = await p.pack();
    const { releaseId } = await registerModel(p)({ ...p.input, package: made });
    // The package first.
    const [training, pack, retrain] = p.ledger.commands.slice(-3);
    expect(training?.record.class).toBe('training-run');
    expect(retrain).toMatchObject({
      record: { body: { status: 'candidate', packageDigest: made.digest } },
      announce: { type: 'RetrainFinished' },
    });
    expect(pack?.edges?.map((e) => e.rel).sort()).toEqual([
      'derived-from',
      'evaluated-by',
      'packaged-from',
      'trained-on',
      'used',
    ]);
    expect(pack?.edges?.find((e) => e.rel === 'used')?.to).toBe(`feature-set:${digestOf(tiny.featureSet)}`);
    expect(pack?.record.body).toMatchObject({
      validationLoss: { mean: expect.closeTo(0.1, 6), runs: p.snapshot.counts.test },
      championPackage: null,
      expectedDisagreement: null,
    });
    expect(pack?.announce).toMatchObject({
      type: 'ReleaseCandidate',
      detail: { releaseId, packageDigest: made.digest, releaseNumber: 4, revert: false },
    });
  });
  test('refuses a package whose manifest is not what was named', async () => {
    const p = await packaged();
    const made = await p.pack();
    await p.artifacts.put(`${made.prefix}manifest.json`, json({ other: true }));
    await expect(registerModel(p)({ ...p.input, package: made })).rejects.toThrow(`expected ${made.digest}`);
  });
});

describe('record-retrain', () => {
  const record = async (state: object) => {
    const ledger = memoryLedger();
    const answer = await recordRetrain({ ledger })({ execution, state: { ...request, ...state } });
    return { answer, command: ledger.commands[0], classes: ledger.commands.map((c) => c.record.class) };
  };
  test('a refusal is refused, with its own words and step', async () => {
    const cause = JSON.stringify({ errorType: 'Refused', errorMessage: 'too little data', trace: [] });
    const { answer, command } = await record({
      plan: run,
      failed: { SnapshotDataset: { Error: 'Refused', Cause: cause } },
    });
    expect(answer).toEqual({ status: 'refused', step: 'SnapshotDataset', detail: 'too little data' });
    expect(command).toMatchObject({
      record: { body: { status: 'refused' } },
      announce: { type: 'RetrainFinished', detail: { outcome: 'refused' } },
    });
  });
  test('a challenger that the gate refused leaves the line and its champion as they are', async () => {
    const cause = JSON.stringify({ errorType: 'Refused', errorMessage: 'gate: fail; worse', trace: [] });
    const { answer, classes } = await record({ plan: run, failed: { Gate: { Error: 'Refused', Cause: cause } } });
    expect(answer).toEqual({ status: 'refused', step: 'Gate', detail: 'gate: fail; worse' });
    expect(classes).toEqual(['retrain']);
  });
  test('a job that failed is failed, with the reason of the job', async () => {
    const { answer } = await record({
      plan: run,
      failed: {
        Train: { Error: 'States.TaskFailed', Cause: JSON.stringify({ FailureReason: 'AlgorithmError: loss is NaN' }) },
      },
    });
    expect(answer).toEqual({
      status: 'failed',
      step: 'Train',
      detail: 'States.TaskFailed: AlgorithmError: loss is NaN',
    });
  });
  test('a request that was declined is skipped', async () => {
    expect((await record({ plan: { go: false, why: 'cooldown' } })).answer).toEqual({
      status: 'skipped',
      step: 'ResolveTrigger',
      detail: 'cooldown',
    });
  });
  test.each([
    ['ABORTED', null, null, 'Aborted: someone stopped it'],
    ['ABORTED', '', 'stopped by anna: wrong data', 'Aborted: stopped by anna: wrong data'],
    ['TIMED_OUT', null, null, 'TimedOut: it took longer than it may'],
    ['FAILED', 'PlantStopped', 'the plant was stopped', 'PlantStopped: the plant was stopped'],
  ])('an execution that ended %s before its last step is failed', async (status, error, cause, detail) => {
    const ledger = memoryLedger();
    const event = {
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      detail: {
        executionArn: execution.id,
        name: execution.name,
        status,
        startDate: Date.parse(STARTED),
        input: JSON.stringify(request),
        error,
        cause,
      },
    };
    expect(await recordRetrain({ ledger })(event)).toEqual({ status: 'failed', step: 'Execution', detail });
    expect(ledger.commands[0]).toMatchObject({
      // The command of an execution that recorded its own end: the ledger answers with what it has.
      commandId: 'retrain/e-1/finished',
      record: { id: 'req-1', body: { status: 'failed', execution: execution.id } },
    });
  });
  test('refuses a state that is not a retrain', async () => {
    await expect(recordRetrain({ ledger: memoryLedger() })({ execution, state: {} })).rejects.toMatchObject({
      name: 'ContractError',
    });
  });
  test('a cause that is no JSON is told as it is', () => {
    expect(sayFault({ Error: 'States.Timeout', Cause: 'late' })).toBe('States.Timeout: late');
  });
});

describe('what steps share', () => {
  test('a use case must be in the registry, under its own digest', async () => {
    await expect(readUseCase(registryOf([]), useCaseDigest)).rejects.toThrow('the registry has no use case');
    await expect(
      readUseCase(registryOf([recordCommand('use-case', useCaseDigest, { ...tiny, version: 2 })]), useCaseDigest),
    ).rejects.toThrow('has the digest');
  });
  test('instants are UTC with milliseconds, however they were written', () => {
    expect(instantOf('2026-02-01T01:00:00+01:00')).toBe('2026-02-01T00:00:00.000Z');
    expect(() => instantOf('soon')).toThrow('"soon" is no instant');
  });
  test('long reasons are cut where the registry would refuse them', () => {
    expect(clip('x'.repeat(500))).toHaveLength(400);
  });
});
