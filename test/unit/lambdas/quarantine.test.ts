import { gzipSync } from 'node:zlib';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import { QuarantineList, QuarantineRecord, QuarantineShown, ReplayAnswer } from '../../../core/contracts/quarantine.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { classOf, originalOf, sourceOf } from '../../../core/lake/quarantine.ts';
import { makeHandler as batchWriter } from '../../../lambdas/batch-writer/handler.ts';
import { makeHandler } from '../../../lambdas/quarantine/handler.ts';
import { readAside } from '../../../lambdas/quarantine/read-object.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { memoryLedger, memoryLog, memoryStore, recordCommand, registryOf, sqsEvent } from '../../support/fakes.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import { memoryFiles } from '../../support/memory-files.ts';
import { memoryLanding, observations, published } from '../../support/memory-landing.ts';
import { aRawObject } from '../../support/raw-object.ts';
import { aFrame, good } from '../features/a-frame.ts';

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
  const { list } = registryOf([recordCommand('use-case', 'u', useCase)]);
  const shared = {
    lake,
    landing: memoryLanding(),
    registry: { latest: registryOf(ledger.commands).latest, list },
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
  const rows = async () => (await rowsUnder(lake, 'observations', 'curated/')).map((r) => r.sequence).sort();
  const versions = new Map<string, Uint8Array>();
  const newest = lake.get;
  lake.get = async (key, versionId) => versions.get(`${versionId} of ${key}`) ?? newest(key);
  return {
    lake,
    writeVersion: async (key: string, versionId: string, bytes: Uint8Array) => {
      versions.set(`${versionId} of ${key}`, bytes);
      await lake.put(key, bytes);
    },
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
const frame = (index: number) => aFrame(index, { speed: good(1) }, { asset: 'press-1', run: 'life-1' });
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

  it('keeps what was bad of each version of an upload, and lands it from that very version', async () => {
    const s = await setUp();
    const key = lakeKeys.observations({ site: 'plant-a', thing: 'local-plant-a-edge-1', name: 'b' });
    const write = async (versionId: string, ...messages: unknown[]) => {
      await s.writeVersion(key, versionId, gzipSync(messages.map((m) => JSON.stringify(m)).join('\n')));
      await s.take(
        sqsEvent({
          source: 'aws.s3',
          detail: { bucket: { name: 'b' }, object: { key, 'version-id': versionId } },
        }),
      );
    };
    const goodOne = observations(3, [3], { series: [{ ...observations(3).series[0], signal: 'x' } as never] });
    await write('v1', observations(1), observations(2));
    await write('v2', goodOne, goodOne, observations(4));
    expect(s.keys()).toEqual([lakeKeys.quarantine(key, 'v1'), lakeKeys.quarantine(key, 'v2')]);
    expect(s.ledger.commands.map((c) => QuarantineRecord.parse(c.record.body).versionId)).toEqual(['v1', 'v2']);
    s.fix();
    await s.replay({ all: true });
    expect(await s.rows()).toEqual([1, 2, 3, 4]);
    expect(
      s.ledger.commands
        .slice(2)
        .map((c) => QuarantineRecord.parse(c.record.body))
        .map((r) => [r.versionId, r.replay?.landed])
        .sort(),
    ).toEqual([
      ['v1', 2],
      ['v2', 1],
    ]);
    const again = (await s.replay({ keys: s.keys() })).replays.map((r) => [r.result.landed, r.result.known]);
    expect(again).toEqual([
      [0, 2],
      [0, 1],
    ]);
  });

  it('gives uploads of frames, events and decisions to their own way in again', async () => {
    const s = await setUp();
    await s.lake.put(FRAMES, gzipSync([frame(1), frame(2)].map((f) => JSON.stringify(f)).join('\n')));
    await s.lake.put(
      lakeKeys.quarantine(FRAMES, null),
      aside({ line: 2, reason: 'line 2 does not match its contract: x', text: '{}' }),
    );
    await s.lake.put(
      lakeKeys.quarantine('inbox/events/a.csv', null),
      Buffer.from('{"line":3,"reason":"not JSON: x"}\n'),
    );
    await s.lake.put(
      lakeKeys.quarantine('inbox/decisions/t/x', null),
      Buffer.from('{"header":1}\n{"id":1}\n{"id":2}\n'),
    );
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

  it('gives events and decisions back in the version that was put aside', async () => {
    const s = await setUp();
    await s.lake.put(
      lakeKeys.quarantine('inbox/events/a.csv', 'v1'),
      Buffer.from('{"line":3,"reason":"not JSON: x"}\n'),
    );
    await s.replay({ all: true });
    expect(s.sent).toMatchObject([
      { url: 'events-queue', body: { detail: { object: { key: 'inbox/events/a.csv', 'version-id': 'v1' } } } },
    ]);
  });

  const registered = (versionId: string) =>
    recordCommand('raw-object', FRAMES, aRawObject({ key: FRAMES, versionId, asset: 'press-1', run: 'life-1' }));

  it.each([
    ['the version that was put aside', 'v7'],
    ['the version that is registered, where the key says none', null],
  ])('gives frames back in %s', async (_, versionId) => {
    const s = await setUp();
    await s.writeVersion(FRAMES, 'v7', gzipSync(JSON.stringify(frame(1))));
    await s.lake.put(lakeKeys.quarantine(FRAMES, versionId), aside({ line: 0, reason: 'not gzip' }));
    await s.ledger.write([registered('v7')]);
    await s.replay({ all: true });
    expect(s.sent).toMatchObject([{ body: { detail: { object: { key: FRAMES, 'version-id': 'v7' } } } }]);
  });

  it('does not register frames anew in a version that another one has replaced', async () => {
    const s = await setUp();
    await s.writeVersion(FRAMES, 'v1', gzipSync(JSON.stringify(frame(1))));
    await s.writeVersion(FRAMES, 'v2', gzipSync(JSON.stringify(frame(2))));
    await s.lake.put(lakeKeys.quarantine(FRAMES, 'v1'), aside({ line: 0, reason: 'not gzip' }));
    await s.ledger.write([registered('v2')]);
    expect((await s.replay({ all: true })).replays).toMatchObject([
      {
        result: { landed: 0, bad: 1, handedOn: false },
        stillBad: [expect.stringMatching(/version v1 .* was replaced by v2/)],
      },
    ]);
    expect(s.sent).toEqual([]);
  });

  it('hands nothing on in a dry run', async () => {
    const s = await setUp();
    await s.lake.put(FRAMES, gzipSync(JSON.stringify(frame(1))));
    await s.lake.put(lakeKeys.quarantine(FRAMES, null), aside({ line: 0, reason: 'not gzip' }));
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

  it('shows an object that unpacks to more than a function holds as one entry', () => {
    const bomb = gzipSync(Buffer.alloc(4096, '{"line":1,"reason":"x"}\n'));
    expect(readAside('decisions', 'quarantine/inbox/decisions/x', bomb, 1024)).toEqual([
      {
        line: 0,
        class: 'container',
        reason: 'it unpacks to more than 1024 bytes; look at the object itself',
        place: 'the whole object',
        text: '',
      },
    ]);
  });

  it('knows of a key which version of which object it is of', () => {
    const key = 'inbox/decisions/t/version=7/x';
    expect([originalOf(lakeKeys.quarantine(key, 'a.b_c-')), originalOf(lakeKeys.quarantine(key, null))]).toEqual([
      { key, versionId: 'a.b_c-' },
      { key, versionId: null },
    ]);
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
