import type { BaselineSpec, DecileBaseline } from '../../../core/contracts/baseline.ts';
import { judgementKeys } from '../../../core/contracts/judgement.ts';
import { artifactKeys } from '../../../core/contracts/lake.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { makeHandler } from '../../../lambdas/drift-evaluator/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import {
  announcedBy,
  memoryLedger,
  memoryLog,
  memoryStore,
  recordCommand,
  registryOf,
  sqsEvent,
} from '../../support/fakes.ts';
import { digest, LINE, PACKAGE, packed } from '../../support/feature-digest.ts';
import { memoryJudgement } from '../../support/memory-judging.ts';

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;
const SHARES = [0.2, 0.2, 0.2, 0.2, 0.2];
const feature = {
  name: 'speed',
  edges: [1, 2, 3, 4],
  shares: SHARES,
  mean: 2.5,
  std: 1,
  windowStatistic: { mean: 4, variance: 8 },
  fewestBins: 5,
};
const baseline: DecileBaseline = {
  schema: 'baseline/1',
  featureSetDigest: PACKAGE,
  rows: 20_000,
  windows: { rows: 200, count: 100 },
  features: [feature],
};
/** 200 decisions as in training, somewhat moved, far off, and of a sensor that does not vary. */
const SAME = [40, 40, 40, 40, 40];
const MOVED = [20, 30, 40, 50, 60];
const FAR = [0, 4, 16, 60, 120];
const STUCK = [0, 0, 200, 0, 0];

const setUp = async (given: BaselineSpec | DecileBaseline = baseline, published = true) => {
  const artifacts = memoryStore();
  await artifacts.put(`${artifactKeys.package(LINE, PACKAGE)}baseline.json`, Buffer.from(JSON.stringify(given)));
  const ledger = memoryLedger();
  const { judgement, items } = memoryJudgement();
  const log = memoryLog();
  const useCaseDigest = digestOf(useCase);
  const line = {
    schema: 'model-line/1',
    modelLine: LINE,
    site: 'plant-a',
    useCaseDigest,
    lastReleaseNumber: 1,
    champion: { packageDigest: PACKAGE, packagePrefix: 'packages/p/', releaseNumber: 1, releaseId: 'release-1' },
  };
  const records = published
    ? [
        recordCommand('model-line', LINE, line),
        recordCommand('use-case', useCaseDigest, useCase),
        recordCommand('package', PACKAGE, { validationLoss: { mean: 0.1, upper: 0.12, runs: 20 } }),
      ]
    : [];
  const handler = makeHandler({
    judgement,
    registry: registryOf(records),
    artifacts,
    ledger,
    stage: 'local',
    log,
    now: () => '2026-01-01T00:00:00.000Z',
  });
  let sent = 0;
  /** One window of 200 decisions. */
  const see = (counts: readonly number[]) => {
    sent += 200;
    return handler(sqsEvent(digest(sent - 199, sent, counts)));
  };
  const evidence = () => judgement.get(judgementKeys.features(LINE, PACKAGE, 'plant-a', 'edge-1'));
  const drift = () => ledger.commands.filter((c) => c.record.id.startsWith('drift/'));
  const lines = () => ledger.commands.filter((c) => c.record.id.startsWith('line/')).map((c) => c.record.body['state']);
  return { handler, see, ledger, log, judgement, items, evidence, drift, lines };
};

describe('drift-evaluator', () => {
  it('refuses a digest that came on the topic of another device', async () => {
    const { handler, log, items } = await setUp();
    expect(await handler(sqsEvent(digest(1, 200, SAME, { device: 'edge-2' })))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
    expect(items.size).toBe(0);
    expect(log.errors[0]?.error.message).toContain(
      'a message of plant-a/edge-2 came on millwright/local/plant-a/edge-1/',
    );
  });
  it('remembers windows of the newest boot only, so that its state does not grow', async () => {
    const { handler, items } = await setUp();
    for (let boot = 1; boot <= 3; boot++)
      for (const part of [0, 1]) await handler(sqsEvent(digest(1, 10, SAME, { boot: `boot-${boot}`, part, parts: 2 })));
    const [state] = [...items.values()];
    expect(state).toMatchObject({ seen: { 'boot-3/0': 10, 'boot-3/1': 10 }, decisions: 30 });
    expect(Object.keys(state?.['seen'] as object)).toHaveLength(2);
  });
  it('judges once the window of the baseline is full, records and announces it', async () => {
    const { handler, drift } = await setUp();
    await handler(sqsEvent(digest(1, 100, [0, 2, 8, 30, 60])));
    expect(drift()).toEqual([]);
    await handler(sqsEvent(digest(101, 200, [0, 2, 8, 30, 60])));
    expect(drift()).toMatchObject([
      {
        record: { class: 'judgement', body: { state: 'drifted', decisions: 200, calibrated: true } },
        announce: { type: 'DriftJudged', detail: { worstFeature: 'speed', state: 'drifted' } },
      },
    ]);
  });
  it('judges after 500 decisions where the baseline names no window', async () => {
    const { windowStatistic: _, fewestBins: __, ...plain } = feature;
    const { windows: ___, ...rest } = { ...baseline, features: [plain] };
    const { see, drift } = await setUp(rest);
    await see(FAR);
    await see(FAR);
    expect(drift()).toEqual([]);
    await see(FAR);
    expect(drift()).toMatchObject([{ record: { body: { state: 'watch', calibrated: false, decisions: 600 } } }]);
  });
  it('counts a digest that comes again once', async () => {
    const { handler, drift } = await setUp();
    for (let i = 0; i < 3; i++) await handler(sqsEvent(digest(1, 100, [0, 2, 8, 30, 60])));
    expect(drift()).toEqual([]);
  });
  it('takes what a device sent in the order it was sent, however the queue brings it', async () => {
    const { handler, drift } = await setUp({ ...baseline, features: [feature, { ...feature, name: 'force' }] });
    const counts = [0, 2, 8, 30, 60];
    const sent = [1, 101].flatMap((from) =>
      [0, 1].map((part) =>
        digest(from, from + 99, counts, {
          part,
          parts: 2,
          sketches: [packed(['speed', 'force'][part] as string, counts)],
        }),
      ),
    );
    expect(await handler(sqsEvent(...sent.toReversed()))).toEqual({ batchItemFailures: [] });
    expect(drift()).toMatchObject([
      { record: { body: { decisions: 200, features: [{ name: 'force' }, { name: 'speed' }] } } },
    ]);
  });
  it('says nothing while nothing changes, and keeps the newest evidence', async () => {
    const { see, drift, evidence } = await setUp();
    for (let i = 0; i < 4; i++) await see(SAME);
    expect(drift()).toHaveLength(1);
    expect(await evidence()).toMatchObject({ device: 'edge-1', state: 'steady', features: [], farOffWindows: 0 });
  });
  it('hands its evidence to the judgement of the line', async () => {
    const { see, lines, evidence } = await setUp();
    await see(SAME);
    await see(MOVED);
    expect(lines()).toEqual(['HEALTHY', 'WATCH']);
    expect(await evidence()).toMatchObject({ state: 'watch', feature: 'speed', features: ['speed'], calibrated: true });
  });
  it('counts how many windows in a row were far off', async () => {
    const { see, evidence } = await setUp();
    for (const counts of [FAR, FAR, FAR]) await see(counts);
    expect(await evidence()).toMatchObject({ state: 'serious', farOffWindows: 3 });
    await see(SAME);
    expect(await evidence()).toMatchObject({ state: 'steady', farOffWindows: 0 });
  });
  it('tells of a device that drifted once, and records each further window that counts', async () => {
    const { see, drift } = await setUp();
    for (const counts of [FAR, FAR, FAR, FAR, SAME]) await see(counts);
    expect(drift().map((c) => [c.record.body['farOffWindows'], announcedBy(c)[0]?.detail['state']])).toEqual([
      [1, 'drifted'],
      [2, undefined],
      [3, undefined],
      [0, 'steady'],
    ]);
  });
  it('calls a sensor that does not vary a fault of the data, and no drift', async () => {
    const { see, drift, lines, evidence } = await setUp();
    await see(STUCK);
    expect(drift()[0]).toMatchObject({
      reason: 'inputs of edge-1 cannot be judged: speed does not vary: its sensor may be stuck',
      announce: { detail: { state: 'watch' } },
    });
    expect(await evidence()).toMatchObject({ quality: 'speed does not vary: its sensor may be stuck' });
    expect(lines()).toEqual(['DATA_QUALITY_HOLD']);
  });
  it('keeps a judgement until it is told, whichever message comes next', async () => {
    for (const next of [digest(1, 200, FAR), digest(201, 210, SAME)]) {
      const { handler, ledger, drift, lines } = await setUp();
      const write = ledger.write;
      ledger.write = async () => Promise.reject(new Error('the ledger is away'));
      expect(await handler(sqsEvent(digest(1, 200, FAR)))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
      ledger.write = write;
      expect(await handler(sqsEvent(next))).toEqual({ batchItemFailures: [] });
      await handler(sqsEvent(digest(211, 220, SAME)));
      expect(drift().map((c) => c.record.body['state'])).toEqual(['drifted']);
      expect(lines()).toEqual(['WATCH']);
    }
  });
  it('returns a message that is no digest, and only that one', async () => {
    const { handler } = await setUp();
    expect(await handler(sqsEvent({}, digest(1, 2, SAME)))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
  });
  it('returns a message whose state another one changed', async () => {
    const { handler, judgement, log } = await setUp();
    judgement.putAll = async () => false;
    expect(await handler(sqsEvent(digest(1, 2, SAME)))).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toContain('was changed by another');
  });
  it('fails where the model line is not in the registry, so that someone looks', async () => {
    const { see, log } = await setUp(baseline, false);
    expect(await see(FAR)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toMatch(/is not in the registry: publish its use case/);
  });
  it('looks again for a baseline that could not be read', async () => {
    const { handler, items } = await setUp();
    const other = { packageDigest: `sha256:${'2'.repeat(64)}` };
    for (let i = 0; i < 2; i++)
      expect(await handler(sqsEvent(digest(1, 2, SAME, other)))).toMatchObject({ batchItemFailures: [{}] });
    expect(items.size).toBe(0);
  });
});
