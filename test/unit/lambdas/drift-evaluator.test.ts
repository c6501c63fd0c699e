import type { BaselineSpec, DecileBaseline } from '../../../core/contracts/baseline.ts';
import { DriftWindow } from '../../../core/contracts/drift.ts';
import { DriftFold } from '../../../core/contracts/drift-fold.ts';
import { judgementKeys } from '../../../core/contracts/judgement.ts';
import { artifactKeys, lakeKeys } from '../../../core/contracts/lake.ts';
import { foldWindow } from '../../../core/drift/device/device-fold.ts';
import { foldChain } from '../../../core/drift/replay/fold-chain.ts';
import { readBaseline } from '../../../core/drift/sketch/upgrade.ts';
import { canonicalJson } from '../../../core/lineage/canonical-json.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { makeHandler } from '../../../lambdas/drift-evaluator/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
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
const MOVED = [16, 28, 40, 52, 64];
const FAR = [0, 4, 16, 60, 120];
const STUCK = [0, 0, 200, 0, 0];

const hour = (n: number): string => new Date(Date.UTC(2026, 0, 1, n)).toISOString();
const DEVICE = { modelLine: LINE, packageDigest: PACKAGE, site: 'plant-a', device: 'edge-1' };

const setUp = async (
  given: BaselineSpec | DecileBaseline = baseline,
  published = true,
  now = () => '2026-02-01T00:00:00.000Z',
) => {
  const artifacts = memoryStore();
  await artifacts.put(`${artifactKeys.package(LINE, PACKAGE)}baseline.json`, Buffer.from(JSON.stringify(given)));
  const lake = memoryStore();
  const ledger = memoryLedger();
  const { judgement, items } = memoryJudgement();
  const log = memoryLog();
  const useCaseDigest = digestOf(useCase);
  const line = aModelLine(LINE, useCaseDigest, PACKAGE);
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
    lake,
    ledger,
    stage: 'local',
    log,
    now,
  });
  let sent = 0;
  /** One window of 200 decisions, an hour after the one before. */
  const see = (counts: readonly number[], more: Parameters<typeof digest>[3] = {}) => {
    sent += 200;
    const times = { from: hour(sent / 200 - 1), to: hour(sent / 200) };
    return handler(sqsEvent(digest(sent - 199, sent, counts, { ...times, ...more })));
  };
  const evidence = () => judgement.get(judgementKeys.features(LINE, PACKAGE, 'plant-a', 'edge-1'));
  const state = () => items.get(`DRIFT#${LINE}#${PACKAGE}\nplant-a/edge-1`);
  const drift = () => ledger.commands.filter((c) => c.record.id.startsWith('drift/'));
  const lines = () => ledger.commands.filter((c) => c.record.id.startsWith('line/')).map((c) => c.record.body['state']);
  const folds = async () =>
    Promise.all(
      (await lake.list(lakeKeys.driftEvidences(DEVICE))).map(async (key) =>
        DriftFold.parse(JSON.parse(Buffer.from(await lake.get(key)).toString())),
      ),
    );
  const windows = () => lake.list(lakeKeys.driftWindows(DEVICE));
  return { handler, see, ledger, log, lake, judgement, items, evidence, state, drift, lines, folds, windows };
};
const failed = { batchItemFailures: [{ itemIdentifier: 'm0' }] };
const fine = { batchItemFailures: [] };

/** A message of the rule of the topic `…/quality`. */
const findings = (says: readonly object[], more = {}) => ({
  cameOn: 'millwright/local/plant-a/edge-1/quality',
  bytes: Buffer.from(
    JSON.stringify({
      ...{ schema: 'quality/1', site: 'plant-a', device: 'edge-1', boot: 'boot-1', sequence: 1, at: hour(9) },
      ...more,
      findings: says,
    }),
  ).toString('base64'),
});
const finding = (more = {}) => ({
  ...{ schema: 'quality-finding/1', site: 'plant-a', asset: 'spindle-1', signal: 'speed', check: 'stuck' },
  ...{ from: hour(0), to: hour(1), open: false, count: 100, worst: null, says: 'the same value for an hour' },
  ...more,
});

describe('drift-evaluator, windows', () => {
  it('refuses a digest that came on the topic of another device', async () => {
    const { handler, log, items } = await setUp();
    expect(await handler(sqsEvent(digest(1, 200, SAME, { device: 'edge-2' })))).toEqual(failed);
    expect(items.size).toBe(0);
    expect(log.errors[0]?.error.message).toContain(
      'a message of plant-a/edge-2 came on millwright/local/plant-a/edge-1/',
    );
  });
  it('keeps each window in the lake once, as canonical JSON of what the device saw', async () => {
    const { handler, lake, windows } = await setUp();
    for (let i = 0; i < 2; i++) await handler(sqsEvent(digest(1, 100, SAME)));
    const keys = await windows();
    expect(keys).toEqual([lakeKeys.driftWindow({ ...DEVICE, boot: 'boot-1', windowStart: 1 })]);
    const text = Buffer.from(await lake.get(keys[0] as string)).toString();
    const window = DriftWindow.parse(JSON.parse(text));
    expect(text).toBe(canonicalJson(window));
    expect(window).toMatchObject({ rows: 100, features: [{ name: 'speed', counts: [...SAME, 0, 0, 0, 0] }] });
  });
  it('judges once the rows of a window of the baseline are there, records and announces it', async () => {
    const { handler, drift } = await setUp();
    await handler(sqsEvent(digest(1, 100, [0, 2, 8, 30, 60])));
    expect(drift()).toEqual([]);
    await handler(sqsEvent(digest(101, 200, [0, 2, 8, 30, 60])));
    expect(drift()).toMatchObject([
      {
        record: { class: 'judgement', body: { state: 'drifted', kind: 'serious', decisions: 200, calibrated: true } },
        announce: {
          type: 'DriftJudged',
          detail: { worstFeature: 'speed', state: 'drifted', device: 'edge-1', assets: ['spindle-1'] },
        },
      },
    ]);
    const detail = announcedBy(drift()[0] as never)[0]?.detail as Record<string, string>;
    expect(detail['what']).toMatch(/^far from the fixed reference: speed has index/);
    expect(detail['sure']).toMatch(/speed surely has index .* at least; over windows e-value/);
    expect(detail['next']).toMatch(/find out what changed on spindle-1/);
    expect(detail['since']).toBe(hour(0));
  });
  it('judges the windows of each context for themselves', async () => {
    const { handler, drift, folds } = await setUp();
    await handler(sqsEvent(digest(1, 100, SAME, { context: 'a' }), digest(101, 200, SAME, { context: 'b' })));
    expect(drift()).toEqual([]);
    await handler(sqsEvent(digest(201, 300, SAME, { context: 'a' })));
    expect((await folds()).map(({ evidence: e }) => [e.context, e.windows.map((w) => w.windowStart)])).toEqual([
      ['a', [1, 201]],
    ]);
  });
  it('puts parts together that come in one batch, and keeps none of them', async () => {
    const { handler, drift, lake } = await setUp({ ...baseline, features: [feature, { ...feature, name: 'force' }] });
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
    expect(await handler(sqsEvent(...sent.toReversed()))).toEqual(fine);
    expect(drift()).toMatchObject([{ record: { body: { decisions: 200 } } }]);
    expect(await lake.list('drift/parts/')).toEqual([]);
  });
  it('puts parts together that come one by one, in any order and again, to the same window', async () => {
    const two = { ...baseline, features: [feature, { ...feature, name: 'force' }] };
    const part = (n: number) =>
      digest(1, 200, SAME, { part: n, parts: 2, sketches: [packed(['speed', 'force'][n] as string, SAME)] });
    const contents = [];
    for (const order of [
      [0, 1],
      [1, 0, 1, 0],
    ]) {
      const { handler, windows, lake, folds } = await setUp(two);
      for (const n of order) expect(await handler(sqsEvent(part(n)))).toEqual(fine);
      expect(await folds()).toHaveLength(1);
      contents.push(Buffer.from(await lake.get((await windows())[0] as string)).toString());
    }
    expect(contents[0]).toBe(contents[1]);
  });
  it('counts a window that comes again once', async () => {
    const { handler, drift, state } = await setUp();
    for (let i = 0; i < 3; i++) await handler(sqsEvent(digest(1, 100, SAME)));
    expect(drift()).toEqual([]);
    expect(state()).toMatchObject({ waiting: [{ windows: [{ windowStart: 1, rows: 100 }] }] });
  });
  it('refuses another content under the name of a window that it counted, and keeps the first', async () => {
    const { handler, log, lake, windows, items } = await setUp();
    await handler(sqsEvent(digest(1, 100, SAME)));
    items.clear();
    expect(await handler(sqsEvent(digest(1, 100, MOVED)))).toEqual(failed);
    expect(log.errors[0]?.error.message).toMatch(/was written before with other content/);
    expect(Buffer.from(await lake.get((await windows())[0] as string)).toString()).toContain('[40,40,40,40,40,');
  });
  it('takes a late window in the order of its arrival, and names it in the evidence', async () => {
    const { handler, folds } = await setUp();
    for (const from of [1, 401, 201])
      await handler(sqsEvent(digest(from, from + 199, SAME, { from: hour(from), to: hour(from + 1) })));
    expect((await folds()).map(({ evidence: e }) => [e.sequence, e.windows[0]?.windowStart])).toEqual([
      [1, 1],
      [2, 401],
      [3, 201],
    ]);
  });
  it('judges windows of one batch by boot, in the order in which the device started', async () => {
    const { handler, folds } = await setUp();
    const sent = (boot: string, from: number, at: number) =>
      digest(from, from + 199, SAME, { boot, from: hour(at), to: hour(at + 1) });
    await handler(sqsEvent(sent('boot-b', 1, 9), sent('boot-a', 1001, 8), sent('boot-a', 801, 7)));
    expect((await folds()).map(({ evidence: e }) => e.windows[0])).toMatchObject([
      { boot: 'boot-a', windowStart: 801 },
      { boot: 'boot-a', windowStart: 1001 },
      { boot: 'boot-b', windowStart: 1 },
    ]);
  });
  it('keeps a window for replay that is older than all it remembers, and does not judge it', async () => {
    const { handler, folds, windows } = await setUp();
    for (let i = 1; i <= 64; i++) await handler(sqsEvent(digest(i * 10 + 1, i * 10 + 10, [2, 2, 2, 2, 2])));
    const before = (await folds()).length;
    expect(await handler(sqsEvent(digest(1, 10, [2, 2, 2, 2, 2])))).toEqual(fine);
    expect([(await folds()).length, (await windows()).length]).toEqual([before, 65]);
  });
  it('remembers few starts of a device, so that its state does not grow', async () => {
    const { handler, state } = await setUp();
    for (let boot = 1; boot <= 12; boot++) await handler(sqsEvent(digest(1, 10, SAME, { boot: `boot-${boot}` })));
    expect((state() as unknown as { seen: { boot: string }[] }).seen.map((s) => s.boot)).toEqual(
      [5, 6, 7, 8, 9, 10, 11, 12].map((n) => `boot-${n}`),
    );
  });
  it('counts a window once, also when it comes again after many other starts of its device', async () => {
    const { handler, folds, see, state } = await setUp();
    const first = digest(1, 200, SAME, { boot: 'boot-0', from: hour(0), to: hour(1) });
    await handler(sqsEvent(first));
    for (let boot = 1; boot <= 9; boot++) await see(SAME, { boot: `boot-${boot}` });
    expect(await handler(sqsEvent(first))).toEqual(fine);
    expect(await folds()).toHaveLength(10);
    const second = digest(201, 400, SAME, { boot: 'boot-0', from: hour(1), to: hour(2) });
    for (const message of [second, first, second]) expect(await handler(sqsEvent(message))).toEqual(fine);
    expect(await folds()).toHaveLength(11);
    expect((state() as unknown as { seen: { boot: string }[] }).seen).toHaveLength(8);
  });
  it('judges every context of a device that has forty of them in turn', async () => {
    const { handler, folds } = await setUp();
    for (let i = 0; i < 80; i++)
      await handler(sqsEvent(digest(i * 100 + 1, i * 100 + 100, SAME, { context: `recipe-${i % 40}`, rows: 100 })));
    expect(new Set((await folds()).map((f) => f.evidence.context)).size).toBe(40);
  });
  it('keeps no more windows waiting than an item of the table holds, those of the newest contexts', async () => {
    const { handler, state } = await setUp();
    const boot = `boot-${'9'.repeat(43)}`;
    for (let i = 0; i < 600; i++)
      await handler(
        sqsEvent(digest(i * 100 + 1, i * 100 + 1, [1, 0, 0, 0, 0], { boot, context: `recipe-${Math.floor(i / 190)}` })),
      );
    const waiting = (state() as unknown as { waiting: { context: string }[] }).waiting;
    expect(waiting.map((w) => w.context)).toEqual(['recipe-1', 'recipe-2', 'recipe-3']);
    expect(JSON.stringify(state()).length).toBeLessThan(80_000);
  });
  it('judges a window that began long before others and ended after them', async () => {
    const { handler, folds } = await setUp();
    for (let i = 1; i <= 70; i++) await handler(sqsEvent(digest(i * 10 + 1, i * 10 + 10, [2, 2, 2, 2, 2])));
    await handler(sqsEvent(digest(1, 900, SAME, { context: 'slow', rows: 200 })));
    expect((await folds()).at(-1)?.evidence).toMatchObject({ context: 'slow', windows: [{ windowStart: 1 }] });
  });
  it('refuses a window that does not fit the baseline, and judges the others of its context', async () => {
    const { handler, folds, log, windows } = await setUp();
    const wrong = [
      [packed('speed', [...SAME, 0])],
      [packed('force', SAME)],
      [packed('speed', SAME), packed('force', SAME)],
    ];
    for (const [i, sketches] of wrong.entries())
      expect(await handler(sqsEvent(digest(i + 1, i + 1, SAME, { sketches })))).toEqual(failed);
    expect(log.errors.map((e) => e.error.message)).toEqual([
      expect.stringMatching(/speed: expected counts of 9 cells as in the baseline, got 10/),
      expect.stringMatching(/expected the features speed as in the baseline, got force/),
      expect.stringMatching(/expected the features speed as in the baseline, got speed, force/),
    ]);
    expect(await windows()).toEqual([]);
    expect(await handler(sqsEvent(digest(101, 300, SAME)))).toEqual(fine);
    expect(await folds()).toHaveLength(1);
  });
  it('goes on where a window that waited is not in the lake any more', async () => {
    const { handler, folds, lake, state } = await setUp();
    await handler(sqsEvent(digest(1, 100, SAME)));
    const { find } = lake;
    lake.find = async (key) => (key.endsWith('-0000000001.json') ? null : find(key));
    expect(await handler(sqsEvent(digest(101, 200, SAME)))).toEqual(fine);
    expect(state()).toMatchObject({ waiting: [{ windows: [{ windowStart: 101 }] }] });
    expect(await handler(sqsEvent(digest(201, 300, SAME)))).toEqual(fine);
    expect((await folds()).map((f) => f.evidence.windows.map((w) => w.windowStart))).toEqual([[101, 201]]);
  });
  it('are counted once each by evaluators that run side by side', async () => {
    const { handler, folds, state } = await setUp();
    const sent = Array.from({ length: 6 }, (_, i) => digest(i * 200 + 1, i * 200 + 200, SAME));
    expect(await Promise.all(sent.map((d) => handler(sqsEvent(d))))).toEqual(sent.map(() => fine));
    const chain = foldChain(await folds());
    expect(chain.map((f) => f.evidence.sequence)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(chain.flatMap((f) => f.evidence.windows.map((w) => w.windowStart))).size).toBe(6);
    expect(state()).toMatchObject({ newest: { windowEnd: 1200 }, pending: null });
  });
  it('says up to which decision the device is watched', async () => {
    const { see, handler, state } = await setUp();
    await see(SAME);
    await see(SAME);
    await handler(sqsEvent(digest(1, 200, SAME)));
    expect(state()).toMatchObject({ newest: { boot: 'boot-1', windowEnd: 400, rows: 200, to: hour(2) } });
  });
});

describe('drift-evaluator, judgements', () => {
  it('says nothing while nothing changes, and keeps the newest evidence', async () => {
    const { see, drift, evidence } = await setUp();
    for (let i = 0; i < 4; i++) await see(SAME);
    expect(drift()).toHaveLength(1);
    expect(await evidence()).toMatchObject({ device: 'edge-1', state: 'steady', features: [], farOffWindows: 0 });
  });
  it('hands its evidence to the judgement of the line, window by window while inputs differ', async () => {
    const { see, lines, evidence } = await setUp();
    await see(SAME);
    for (let i = 0; i < 8; i++) await see(MOVED);
    expect(lines()).toEqual(['HEALTHY', 'WATCH']);
    expect(await evidence()).toMatchObject({
      state: 'watch',
      kind: 'watch',
      feature: 'speed',
      features: ['speed'],
      calibrated: true,
      since: hour(1),
      assets: ['spindle-1'],
    });
  });
  it('goes on to say what the newest window was when an older one comes after it', async () => {
    const { handler, evidence, folds, drift } = await setUp();
    const sent = (from: number, counts: readonly number[], more = {}) =>
      sqsEvent(digest(from, from + 199, counts, { from: hour(from), to: hour(from + 1), ...more }));
    await handler(sent(1, SAME));
    await handler(sent(401, SAME));
    await handler(sent(201, FAR));
    await handler(sent(1, FAR, { boot: 'boot-0', from: hour(-1), to: hour(0) }));
    const [, second, third, fourth] = await folds();
    expect(await evidence()).toMatchObject({ kind: 'steady', evidence: second?.evidence.hash });
    expect([third?.evidence.previous, fourth?.evidence.previous]).toEqual([
      second?.evidence.hash,
      third?.evidence.hash,
    ]);
    expect(drift()).toHaveLength(1);
    await handler(sent(601, FAR));
    expect(await evidence()).toMatchObject({ kind: 'serious', window: { from: hour(601) } });
    expect(drift()).toHaveLength(2);
  });
  it('follows a device whose clock was ahead before it started again, and one whose clock fell behind after a day', async () => {
    let now = '2026-02-01T00:00:00.000Z';
    const { handler, evidence } = await setUp(baseline, true, () => now);
    const sent = (boot: string, at: string) => sqsEvent(digest(1, 200, SAME, { boot, from: at, to: at }));
    await handler(sent('ahead', '2099-01-01T00:00:00.000Z'));
    await handler(sent('right', '2026-01-31T23:00:00.000Z'));
    expect(await evidence()).toMatchObject({ window: { to: '2026-01-31T23:00:00.000Z' } });
    await handler(sent('behind', '1970-01-02T00:00:00.000Z'));
    expect(await evidence()).toMatchObject({ window: { to: '2026-01-31T23:00:00.000Z' } });
    now = '2026-02-02T00:00:00.000Z';
    await handler(sent('behind-again', '1970-01-03T00:00:00.000Z'));
    expect(await evidence()).toMatchObject({ window: { to: '1970-01-03T00:00:00.000Z' } });
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
    ]);
  });
  it('tells once that it drifts however windows go to and fro, and once of each step back', async () => {
    const { see, drift } = await setUp();
    for (const counts of [FAR, SAME, FAR, SAME, SAME, FAR]) await see(counts);
    for (let window = 0; window < 60; window++) await see(SAME);
    expect(drift().flatMap((c) => announcedBy(c).map((a) => a.detail['state']))).toEqual([
      'drifted',
      'watch',
      'steady',
    ]);
  });
  it('records how long a device is far off while that grows, however windows go to and fro', async () => {
    const { see, drift } = await setUp();
    for (let i = 0; i < 12; i++) await see(i % 3 === 2 ? SAME : FAR);
    for (let i = 0; i < 6; i++) await see(FAR);
    for (let i = 0; i < 12; i++) await see(i % 3 === 2 ? SAME : FAR);
    expect(drift().map((c) => c.record.body['kind'])).toEqual(['serious', 'serious', 'serious']);
    expect(drift().map((c) => c.record.body['farOffWindows'])).toEqual([1, 2, 3]);
  });
  it('calls a sensor that does not vary a fault of the data, and no drift', async () => {
    const { see, drift, lines, evidence } = await setUp();
    await see(STUCK);
    expect(drift()[0]).toMatchObject({
      reason: 'inputs of edge-1: data-quality. says nothing about drift: speed does not vary: its sensor may be stuck',
      announce: { detail: { state: 'watch', next: expect.stringMatching(/^mend the data of spindle-1/) } },
    });
    expect(await evidence()).toMatchObject({ quality: expect.stringMatching(/its sensor may be stuck/) });
    expect(lines()).toEqual(['DATA_QUALITY_HOLD']);
  });
  it('leaves a chain of evidence from which the same bytes are computed again', async () => {
    const { see, folds, lake, ledger } = await setUp();
    for (const counts of [SAME, MOVED, SAME, FAR]) await see(counts);
    const chain = await folds();
    expect(chain).toHaveLength(4);
    let before: Parameters<typeof foldWindow>[0] = null;
    for (const { evidence: e, policy, events } of chain) {
      const windows = await Promise.all(
        e.windows.map(async (w) =>
          DriftWindow.parse(
            JSON.parse(Buffer.from(await lake.get(lakeKeys.driftWindow({ ...DEVICE, ...w }))).toString()),
          ),
        ),
      );
      const of = { baseline: readBaseline(baseline, 'baseline'), policy, events, held: e.held };
      const again: ReturnType<typeof foldWindow> = foldWindow(before, windows, of);
      expect(canonicalJson(again.evidence)).toBe(canonicalJson(e));
      before = again.state;
    }
    expect(ledger.commands.map((c) => c.record.id)).toContainEqual(expect.stringContaining('line/'));
    expect(ledger.commands.filter((c) => c.record.id.startsWith('drift/')).at(-1)?.record.body).toMatchObject({
      evidence: chain.at(-1)?.evidence.hash,
      object: lakeKeys.driftEvidence(DEVICE, chain.at(-1)?.evidence as never),
    });
  });
  it('judges by what changed on the machines, as far as it is known, and not by what happened elsewhere', async () => {
    const { see, judgement, folds } = await setUp();
    const event = (eventId: string, asset: string) =>
      judgement.put({
        ...judgementKeys.event('plant-a', asset, eventId),
        event: {
          ...{ schema: 'plant-event/1', eventId, kind: 'changeover', site: 'plant-a', asset, run: null, index: null },
          ...{ validTime: hour(1.5), knownTime: hour(2), reportedBy: 'mes', detail: {} },
        },
      });
    await see(SAME);
    await event('e1', 'spindle-1');
    await event('e2', 'spindle-2');
    await see(FAR);
    const chain = await folds();
    expect(chain.map((f) => f.events.map((e) => e.eventId))).toEqual([[], ['e1']]);
    expect(chain[1]?.evidence).toMatchObject({ kind: 'warm-up', events: [{ eventId: 'e1' }] });
  });
  it('takes back what changed on the machines where that is told, under the same id, for later', async () => {
    const { see, judgement, folds } = await setUp();
    const told = (validTime: string, knownTime: string) =>
      judgement.put({
        ...judgementKeys.event('plant-a', 'spindle-1', 'e1'),
        event: {
          ...{ schema: 'plant-event/1', eventId: 'e1', kind: 'changeover', site: 'plant-a', asset: 'spindle-1' },
          ...{ run: null, index: null, validTime, knownTime, reportedBy: 'mes', detail: {} },
        },
      });
    await see(SAME);
    await told(hour(1.5), hour(2));
    await see(FAR);
    await told(hour(99), hour(3));
    await see(FAR);
    await see(FAR);
    const chain = await folds();
    expect(chain.map((f) => f.evidence.kind)).toEqual(['steady', 'warm-up', 'serious', 'serious']);
    expect(chain.map((f) => f.events.length)).toEqual([0, 1, 1, 0]);
  });
  it('begins anew where another kind of state was kept', async () => {
    const { see, judgement, folds } = await setUp();
    await judgement.put({ ...judgementKeys.device(LINE, PACKAGE, 'plant-a', 'edge-1'), counts: {}, version: 7 });
    expect(await see(SAME)).toEqual(fine);
    expect(await folds()).toHaveLength(1);
  });
  it('keeps a judgement until it is told, whichever message comes next', async () => {
    for (const next of [digest(1, 200, FAR), digest(201, 210, SAME)]) {
      const { handler, ledger, drift, lines } = await setUp();
      const write = ledger.write;
      ledger.write = async () => Promise.reject(new Error('the ledger is away'));
      expect(await handler(sqsEvent(digest(1, 200, FAR)))).toEqual(failed);
      ledger.write = write;
      expect(await handler(sqsEvent(next))).toEqual(fine);
      await handler(sqsEvent(digest(211, 220, SAME)));
      expect(drift().map((c) => c.record.body['state'])).toEqual(['drifted']);
      expect(lines()).toEqual(['WATCH']);
    }
  });
  it('returns a message that is no digest, and only that one', async () => {
    const { handler } = await setUp();
    expect(await handler(sqsEvent({}, digest(1, 2, SAME)))).toEqual(failed);
  });
  it('returns a message whose state another one changed', async () => {
    const { handler, judgement, log } = await setUp();
    judgement.putAll = async () => false;
    expect(await handler(sqsEvent(digest(1, 2, SAME)))).toEqual(failed);
    expect(log.errors[0]?.error.message).toContain('tries were overtaken by other writers');
  });
  it('fails where the model line is not in the registry, so that someone looks', async () => {
    const { see, log } = await setUp(baseline, false);
    expect(await see(FAR)).toEqual(failed);
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

describe('drift-evaluator, findings of data quality', () => {
  it('hold what would be drift of windows of their time, and of no other', async () => {
    const { handler, see, folds, lines } = await setUp();
    expect(await handler(sqsEvent(findings([finding()])))).toEqual(fine);
    await see(FAR);
    await see(FAR);
    expect((await folds()).map(({ evidence: e }) => [e.kind, e.held])).toEqual([
      ['data-quality', ['spindle-1/speed: the same value for an hour']],
      ['serious', []],
    ]);
    expect(lines()).toEqual(['DATA_QUALITY_HOLD', 'WATCH']);
  });
  it('of a signal that the model does not read hold nothing', async () => {
    const { handler, see, folds } = await setUp();
    await handler(sqsEvent(findings([finding({ signal: 'door' }), finding({ asset: 'spindle-2' })])));
    await see(FAR);
    expect((await folds())[0]?.evidence.kind).toBe('serious');
  });
  it('are replaced by what is said of the same stretch later, whichever comes first', async () => {
    const open = findings([finding({ open: true })], { at: hour(1) });
    const over = findings([finding({ to: hour(1), open: false })], { at: hour(2), sequence: 2 });
    for (const order of [
      [open, over],
      [over, open],
    ]) {
      const { handler, see, folds } = await setUp();
      for (const message of order) await handler(sqsEvent(message));
      await see(SAME);
      await see(SAME);
      await see(SAME);
      expect((await folds()).map((f) => f.evidence.held.length)).toEqual([1, 0, 0]);
    }
  });
  it('are kept for the newest stretches of a signal, so that they do not grow', async () => {
    const { handler, items } = await setUp();
    const many = Array.from({ length: 30 }, (_, i) => finding({ from: hour(i), to: hour(i + 0.5) }));
    for (const one of many.toReversed()) await handler(sqsEvent(findings([one])));
    const words = [...items.values()].flatMap((i) => i['words'] as { finding: { from: string } }[]);
    expect(words.map((w) => w.finding.from)).toEqual(many.slice(-20).map((f) => f.from));
  });
  it('that cannot be read are left to the way to the lake, which puts them aside', async () => {
    const { handler, items } = await setUp();
    const broken = { ...findings([]), bytes: Buffer.from('{').toString('base64') };
    expect(await handler(sqsEvent(broken, findings([])))).toEqual(fine);
    expect(items.size).toBe(0);
  });
  it('of another device than that of the topic are refused', async () => {
    const { handler } = await setUp();
    expect(await handler(sqsEvent(findings([finding()], { device: 'edge-2' })))).toEqual(failed);
  });
});
