import { gzipSync } from 'node:zlib';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import { QuarantineList, QuarantineRecord, QuarantineShown, ReplayAnswer } from '../../../core/contracts/quarantine.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { classOf, sourceOf } from '../../../core/lake/quarantine.ts';
import { makeHandler as batchWriter } from '../../../lambdas/batch-writer/handler.ts';
import { makeHandler } from '../../../lambdas/quarantine/handler.ts';
import { rowsFromParquet } from '../../../lambdas/shared/table-file.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { memoryLedger, memoryLog, memoryStore, registryOf, sqsEvent } from '../../support/fakes.ts';
import { memoryFiles } from '../../support/memory-files.ts';
import { memoryLanding, observations, published } from '../../support/memory-landing.ts';

const NOW = '2026-01-02T03:04:05.000Z';

/** A plant on which signal `pressure` is, wrongly, published as a temperature, until `fix` is called. */
const setUp = async () => {
  const lake = memoryStore();
  const ledger = memoryLedger();
  const clock = { ms: Date.parse(NOW) };
  const sent: { url: string; body: unknown }[] = [];
  let batches = 0;
  const useCase = structuredClone(definitions[0]?.useCase) as UseCase;
  const [signal] = useCase.signals as { name: string; unit: string }[];
  if (signal === undefined) throw new Error('the use case has no signal');
  Object.assign(signal, { name: 'pressure', unit: 'Cel' });
  const published1 = { record: { class: 'use-case', id: 'u', body: useCase } };
  const registry = {
    latest: (...a: Parameters<ReturnType<typeof registryOf>['latest']>) => registryOf(ledger.commands).latest(...a),
    list: (...a: Parameters<ReturnType<typeof registryOf>['list']>) => registryOf([published1] as never).list(...a),
  };
  const shared = {
    lake,
    landing: memoryLanding(),
    registry,
    ledger,
    stage: 'local',
    now: () => new Date(clock.ms).toISOString(),
    newBatch: () => `batch-${++batches}`,
    leaseMs: 1000,
  };
  const ask = makeHandler({
    ...shared,
    files: memoryFiles(lake.objects),
    queues: { send: async (url, body) => void sent.push({ url, body }) },
    queueUrls: { frames: 'frames-queue', events: 'events-queue', decisions: 'decisions-queue' },
    lakeBucket: 'lake',
    workMs: 1000,
  });
  const replay = async (what: object, dryRun = false) =>
    ReplayAnswer.parse(await ask({ do: 'replay', what, dryRun, by: 'person:a', reason: 'mended' }));
  const rows = async () =>
    (
      await Promise.all(
        [...lake.objects]
          .filter(([k]) => k.startsWith('curated/'))
          .map(([, bytes]) => rowsFromParquet('observations', bytes)),
      )
    )
      .flat()
      .map((r) => r.sequence)
      .sort();
  return {
    lake,
    ledger,
    clock,
    sent,
    ask,
    replay,
    rows,
    landing: shared.landing,
    take: batchWriter({ ...shared, log: memoryLog() }),
    fix: () => Object.assign(signal, { unit: 'bar' }),
    keys: () => [...lake.objects.keys()].filter((k) => k.startsWith('quarantine/')).sort(),
  };
};

const FRAMES = lakeKeys.frames({ site: 'plant-a', asset: 'press-1', run: 'life-1', first: 1, last: 3 });
const frame = (index: number) => ({
  schema: 'frame/1',
  site: 'plant-a',
  asset: 'press-1',
  run: 'life-1',
  index,
  context: 'production',
  sourceTime: NOW,
  receivedTime: NOW,
  signals: { speed: { value: 1, quality: 'GOOD' } },
});
const aside = (...lines: object[]) => gzipSync(lines.map((l) => JSON.stringify(l)).join('\n'));

describe('quarantine', () => {
  it('lists objects newest first with how many of which class, and shows one with its lines', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published('x'), published('y'), published(observations(1))));
    const list = QuarantineList.parse(await s.ask({ do: 'list', site: null, limit: 10 }));
    expect(list).toMatchObject({
      more: false,
      entries: [{ from: 'messages', site: 'plant-a', records: 3, classes: { 'not-json': 2, unit: 1 }, replay: null }],
    });
    const shown = QuarantineShown.parse(await s.ask({ do: 'show', key: s.keys()[0], limit: 1 }));
    expect(shown.lines).toEqual([
      { class: 'not-json', reason: expect.any(String), place: expect.stringMatching(/observations$/), text: 'x' },
    ]);
  });

  it('lists of one site, and says when there are more', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published('x'), 'no topic'));
    expect(await s.ask({ do: 'list', site: 'unknown', limit: 10 })).toMatchObject({ entries: [{ site: 'unknown' }] });
    expect(await s.ask({ do: 'list', site: null, limit: 1 })).toMatchObject({ more: true });
  });

  it('lands what is good after a fix, once however often it is replayed, and leaves the rest with its reason', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published(observations(1)), published(observations(2)), published('x')));
    const before = s.lake.objects.get(s.keys()[0] as string);
    expect((await s.replay({ all: true })).replays[0]?.result).toMatchObject({ landed: 0, bad: 3 });
    s.fix();
    expect((await s.replay({ all: true }, true)).replays[0]?.result).toMatchObject({ landed: 2, bad: 1 });
    expect(await s.rows()).toEqual([]);
    const [first] = (await s.replay({ all: true })).replays;
    expect(first).toMatchObject({
      result: { landed: 2, known: 0, bad: 1, by: 'person:a' },
      stillBad: [expect.stringMatching(/^not JSON/)],
    });
    expect((await s.replay({ class: 'unit' })).replays[0]?.result).toMatchObject({ landed: 0, known: 2, bad: 1 });
    expect(await s.rows()).toEqual([1, 2]);
    expect(s.lake.objects.get(s.keys()[0] as string)).toBe(before);
  });

  it('records what came of a replay, and does not choose again what has nothing bad left', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published(observations(1))));
    s.fix();
    const [key] = s.keys();
    await s.replay({ keys: [key] });
    expect(QuarantineRecord.parse(s.ledger.commands.at(-1)?.record.body)).toMatchObject({
      key,
      records: 1,
      reason: expect.stringMatching(/measures something else/),
      replay: { landed: 1, bad: 0 },
    });
    expect((await s.replay({ all: true })).replays).toEqual([]);
    expect((await s.replay({ keys: [key] })).replays[0]?.result).toMatchObject({ known: 1 });
  });

  it('counts as bad what another message of the same name has landed before', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published(observations(1, [1]))));
    s.fix();
    await s.take(sqsEvent(published(observations(1, [2]))));
    expect((await s.replay({ class: 'unit' })).replays[0]).toMatchObject({
      result: { landed: 0, bad: 1 },
      stillBad: ['plant-a/edge-1/boot-1/1 landed with other content'],
    });
  });

  it('refuses while another batch may still be writing a message', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published(observations(1))));
    s.fix();
    await s.replay({ all: true });
    for (const key of s.lake.objects.keys()) if (key.startsWith('curated/')) s.lake.objects.delete(key);
    await expect(s.replay({ keys: s.keys() })).rejects.toThrow(/replay them again in two minutes/);
  });

  it('passes on what went wrong with the lake', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published(observations(1))));
    s.fix();
    const claim = s.landing.claim;
    s.landing.claim = () => Promise.reject(new Error('throttled'));
    await expect(s.replay({ all: true })).rejects.toThrow('throttled');
    s.landing.claim = claim;
  });

  it('lands of an upload of observations those lines that were bad', async () => {
    const s = await setUp();
    const key = lakeKeys.observations({ site: 'plant-a', thing: 'local-plant-a-edge-1', name: 'b' });
    const other = (n: number) =>
      observations(n, [n], { series: [{ ...observations(n).series[0], signal: 'x' } as never] });
    await s.lake.put(key, gzipSync([observations(1), other(2)].map((m) => JSON.stringify(m)).join('\n')));
    await s.take(sqsEvent({ source: 'aws.s3', detail: { bucket: { name: 'b' }, object: { key } } }));
    expect(await s.rows()).toEqual([2]);
    s.fix();
    expect((await s.replay({ all: true }, true)).replays[0]?.result).toMatchObject({ landed: 1, bad: 0 });
    expect((await s.replay({ all: true })).replays[0]?.result).toMatchObject({ landed: 1, known: 0, bad: 0 });
    expect(await s.rows()).toEqual([1, 2]);
  });

  it('gives uploads of frames, events and decisions to their own way in again', async () => {
    const s = await setUp();
    await s.lake.put(FRAMES, gzipSync([frame(1), frame(2)].map((f) => JSON.stringify(f)).join('\n')));
    await s.lake.put(
      lakeKeys.quarantine(FRAMES),
      aside({ line: 2, reason: 'line 2 does not match its contract: x', text: '{}' }),
    );
    await s.lake.put(lakeKeys.quarantine('inbox/events/a.csv'), Buffer.from('{"line":3,"reason":"not JSON: x"}\n'));
    await s.lake.put(lakeKeys.quarantine('inbox/decisions/t/x'), Buffer.from('{"header":1}\n{"id":1}\n{"id":2}\n'));
    const list = QuarantineList.parse(await s.ask({ do: 'list', site: null, limit: 10 }));
    expect(Object.fromEntries(list.entries.map((e) => [e.from, e.classes]))).toEqual({
      frames: { contract: 1 },
      events: { 'not-json': 1 },
      decisions: { unproved: 2 },
    });
    const { replays } = await s.replay({ all: true });
    expect(replays.every((r) => r.result.handedOn)).toBe(true);
    expect(replays.find((r) => r.key.includes('frames'))?.result).toMatchObject({ landed: 1, bad: 0 });
    expect(s.sent.map((m) => m.url).sort()).toEqual(['decisions-queue', 'events-queue', 'frames-queue']);
    expect(s.sent).toContainEqual({
      url: 'frames-queue',
      body: {
        source: 'aws.s3',
        'detail-type': 'Object Created',
        detail: { bucket: { name: 'lake' }, object: { key: FRAMES } },
      },
    });
  });

  it('gives frames back in the version that is registered', async () => {
    const s = await setUp();
    await s.lake.put(FRAMES, gzipSync(JSON.stringify(frame(1))));
    await s.lake.put(lakeKeys.quarantine(FRAMES), aside({ line: 0, reason: 'not gzip' }));
    await s.ledger.write([
      {
        schema: 'ledger-command/1',
        commandId: 'raw',
        site: 'plant-a',
        actor: 'test',
        reason: 'test',
        record: {
          class: 'raw-object',
          id: FRAMES,
          body: {
            schema: 'raw-object/1',
            bucket: 'lake',
            key: FRAMES,
            versionId: 'v7',
            digest: `sha256:${'0'.repeat(64)}`,
            bytes: 1,
            site: 'plant-a',
            asset: 'press-1',
            run: 'life-1',
            firstIndex: 1,
            lastIndex: 1,
            frames: 0,
            quarantined: 1,
            signals: [],
          },
        },
      },
    ]);
    await s.replay({ all: true });
    expect(s.sent).toMatchObject([{ body: { detail: { object: { key: FRAMES, 'version-id': 'v7' } } } }]);
  });

  it('hands nothing on in a dry run', async () => {
    const s = await setUp();
    await s.lake.put(FRAMES, gzipSync(JSON.stringify(frame(1))));
    await s.lake.put(lakeKeys.quarantine(FRAMES), aside({ line: 0, reason: 'not gzip' }));
    expect((await s.replay({ class: 'container' }, true)).replays[0]?.result).toMatchObject({
      landed: 1,
      handedOn: false,
    });
    expect(s.sent).toEqual([]);
  });

  it('ends between two objects when its time is over, and says so', async () => {
    const s = await setUp();
    await s.take(sqsEvent(published('x'), 'no topic'));
    // Each look at the clock finds it later.
    const began = s.clock.ms;
    let looks = 0;
    Object.defineProperty(s.clock, 'ms', { get: () => began + 600 * looks++ });
    expect(await s.replay({ all: true }, true)).toMatchObject({ more: true, replays: [{}] });
  });

  it.each([
    [{ do: 'show', key: 'quarantine/messages/gone', limit: 1 }, /there is no quarantine\/messages\/gone/],
    [{ do: 'show', key: 'quarantine/other', limit: 1 }, /is no quarantine object/],
    [{ do: 'forget' }, /request to quarantine does not match/],
  ])('refuses %j', async (request, why) => {
    const s = await setUp();
    await s.lake.put('quarantine/other', Buffer.from('x'));
    await expect(s.ask(request)).rejects.toThrow(why);
  });

  it('knows kinds by key and classes by reason', () => {
    expect(sourceOf('quarantine/elsewhere/x')).toBeNull();
    expect([classOf(0, 'x'), classOf(1, 'Unexpected token in JSON'), classOf(1, 'time: expected')]).toEqual([
      'container',
      'not-json',
      'contract',
    ]);
  });
});
