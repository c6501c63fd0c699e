import { gzipSync } from 'node:zlib';
import { readParquet } from '#core/lake/parquet.ts';
import type { DecisionRecord } from '../../../core/contracts/decision.ts';
import { decisionObjectKey } from '../../../core/contracts/decision.ts';
import { EVENTS } from '../../../core/contracts/events.ts';
import type { Frame } from '../../../core/contracts/frame.ts';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import type { PlantEvent } from '../../../core/contracts/plant-event.ts';
import { canonicalJson } from '../../../core/lineage/canonical-json.ts';
import { merkleRoot } from '../../../core/lineage/digest.ts';
import { makeHandler as plantEvents } from '../../../lambdas/plant-events/handler.ts';
import { makeHandler as recordDecisions } from '../../../lambdas/record-decisions/handler.ts';
import { makeHandler as registerUpload } from '../../../lambdas/register-upload/handler.ts';
import { MAX_UNPACKED_BYTES } from '../../../lambdas/shared/unpack.ts';
import {
  announcedBy,
  memoryLedger,
  memoryLog,
  memoryStore,
  objectCreated,
  registryOf,
  sqsEvent,
} from '../../support/fakes.ts';
import { jsonLines } from '../../support/json-lines.ts';
import { memoryRegistryWithLedger } from '../../support/memory-judging.ts';
import { memoryLanding } from '../../support/memory-landing.ts';
import { aFrame, good } from '../features/a-frame.ts';

const at = '2026-01-01T00:00:00.000Z';
const frame = (index: number, more: Partial<Frame> = {}): Frame =>
  aFrame(index, { speed: good(1500) }, { asset: 'press-1', run: 'life-1', sourceTime: at, receivedTime: at, ...more });
const upload = (...lines: string[]) => gzipSync(lines.join('\n'));
const KEY = lakeKeys.frames({ site: 'plant-a', asset: 'press-1', run: 'life-1', first: 1, last: 3 });

const setUp = (refuse?: Error) => {
  const lake = memoryStore();
  const ledger = memoryLedger(refuse);
  const log = memoryLog();
  let batches = 0;
  return {
    lake,
    ledger,
    log,
    stage: 'local',
    registry: registryOf([]),
    landing: memoryLanding(),
    now: () => '2026-01-02T00:00:00.000Z',
    newBatch: () => `batch-${++batches}`,
    leaseMs: 1000,
  };
};

describe('register-upload', () => {
  const asideOf = async ({ lake }: ReturnType<typeof setUp>) =>
    jsonLines<{ line: number }>(await lake.get(lakeKeys.quarantine(KEY, null)));
  const send = async (deps: ReturnType<typeof setUp>, key = KEY) => registerUpload(deps)(sqsEvent(objectCreated(key)));

  it('registers an upload with its digest, its range and its signals', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload(JSON.stringify(frame(1)), JSON.stringify(frame(3))));
    expect(await send(deps)).toEqual({ batchItemFailures: [] });
    expect(deps.ledger.commands[0]?.record).toMatchObject({
      class: 'raw-object',
      id: KEY,
      body: { firstIndex: 1, lastIndex: 3, frames: 2, quarantined: 0, signals: ['speed'] },
    });
  });

  it('gives what replaces an upload another command id, however long its key', async () => {
    const deps = setUp();
    const names = { site: 's'.repeat(48), asset: 'a'.repeat(48), run: 'r'.repeat(48) };
    const key = lakeKeys.frames({ ...names, first: 1, last: 3 });
    for (const index of [1, 2]) {
      await deps.lake.put(key, upload(JSON.stringify(frame(index, names))));
      await send(deps, key);
    }
    expect(new Set(deps.ledger.commands.map((c) => c.commandId)).size).toBe(2);
  });

  it('registers bytes that come back after others as another command, and a version that is told twice as one', async () => {
    const deps = setUp();
    for (const [version, index] of [
      ['a', 1],
      ['b', 2],
      ['c', 1],
      ['c', 1],
    ] as const) {
      await deps.lake.put(KEY, upload(JSON.stringify(frame(index))));
      const { detail } = objectCreated(KEY);
      const object = { ...detail.object, 'version-id': version };
      await registerUpload(deps)(sqsEvent({ detail: { ...detail, object } }));
    }
    const ids = deps.ledger.commands.map((c) => c.commandId);
    expect([new Set(ids).size, ids[3]]).toEqual([3, ids[2]]);
  });

  it('registers an upload of a device of the site, and puts one aside that a device made for another site', async () => {
    const of = { site: 'plant-a', asset: 'press-1', run: 'life-1', first: 1, last: 3 };
    for (const [thing, registered] of [
      ['local-plant-a-edge-1', 1],
      ['local-plant-b-edge-1', 0],
      ['plant-a-edge-1', 0],
    ] as const) {
      const deps = setUp();
      const key = lakeKeys.frames({ ...of, thing });
      await deps.lake.put(key, upload(JSON.stringify(frame(1))));
      await send(deps, key);
      expect(deps.ledger.commands.map((c) => c.record.id)).toEqual(registered === 1 ? [key] : []);
      expect(deps.lake.objects.has(lakeKeys.quarantine(key, null))).toBe(registered === 0);
    }
  });

  it('puts bad lines aside with their reasons, counts the rest, and announces it', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload(JSON.stringify(frame(1)), '{"schema":"frame/1"}', 'no json'));
    await send(deps);
    expect((await asideOf(deps)).map((l) => l.line)).toEqual([2, 3]);
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({ frames: 1, quarantined: 2 });
    expect(announcedBy(deps.ledger.commands[0])[0]).toMatchObject({ type: 'Quarantined', detail: { records: 2 } });
  });

  it('puts a frame aside whose index is not of its key: who looks for it by its index would not find it', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload(JSON.stringify(frame(3)), JSON.stringify(frame(4))));
    await send(deps);
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({ frames: 1, quarantined: 1, lastIndex: 3 });
    expect(await asideOf(deps)).toMatchObject([{ line: 2, reason: expect.stringContaining('the key says 1 to 3') }]);
  });

  it('puts an upload aside whose key says that it has more than 100,000 indexes, and takes one of so many', async () => {
    for (const [last, frames] of [
      [100_000, 1],
      [100_001, 0],
    ] as const) {
      const deps = setUp();
      const key = lakeKeys.frames({ site: 'plant-a', asset: 'press-1', run: 'life-1', first: 1, last });
      await deps.lake.put(key, upload(JSON.stringify(frame(last))));
      await send(deps, key);
      expect(deps.ledger.commands[0]?.record.body).toMatchObject({ frames, quarantined: 1 - frames });
      const aside = deps.lake.objects.get(lakeKeys.quarantine(key, null));
      if (frames === 1) expect(aside).toBeUndefined();
      else
        expect(jsonLines(aside as Uint8Array)).toMatchObject([
          { line: 0, reason: expect.stringContaining('100000 indexes at most') },
        ]);
    }
  });

  it('puts the frame aside that is no UTF-8, and registers those beside it', async () => {
    const deps = setUp();
    const line = (index: number, signal: string) =>
      Buffer.from(`${JSON.stringify(frame(index, { signals: { [signal]: { value: 1, quality: 'GOOD' } } }))}\n`);
    const damaged = line(2, 'spe#d');
    damaged[damaged.indexOf('#')] = 0xe9;
    await deps.lake.put(KEY, gzipSync(Buffer.concat([line(1, 'näh'), damaged, line(3, 'speed')])));
    await send(deps);
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({
      frames: 2,
      quarantined: 1,
      signals: ['näh', 'speed'],
    });
    expect(await asideOf(deps)).toMatchObject([{ line: 2, reason: expect.stringMatching(/not UTF-8/) }]);
  });

  it('announces the good frames: of which run, which, and with which signals', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload(JSON.stringify(frame(3)), 'no json', JSON.stringify(frame(2))));
    await send(deps);
    const [, registered] = announcedBy(deps.ledger.commands[0]);
    expect(registered?.type).toBe('FramesRegistered');
    expect(EVENTS.FramesRegistered.parse(registered?.detail)).toMatchObject({ key: KEY, first: 2, last: 3 });
  });

  it('announces no frames where none is good', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload('no json'));
    await send(deps);
    expect(announcedBy(deps.ledger.commands[0]).map((a) => a.type)).toEqual(['Quarantined']);
  });

  it('keeps from when to when the frames are', async () => {
    const deps = setUp();
    const at = (index: number, sourceTime: string) => JSON.stringify(frame(index, { sourceTime }));
    await deps.lake.put(KEY, upload(at(1, '2026-01-02T00:00:00.000Z'), at(2, '2026-01-01T00:00:00.000Z')));
    await send(deps);
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({
      firstAt: '2026-01-01T00:00:00.000Z',
      lastAt: '2026-01-02T00:00:00.000Z',
    });
  });

  it('puts a frame aside that is of another machine than its key says', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload(JSON.stringify(frame(1, { asset: 'press-2' }))));
    await send(deps);
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({ frames: 0, quarantined: 1 });
  });

  it('registers an upload that is no gzip as wholly bad, and keeps the object', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, Buffer.from('plain'));
    await send(deps);
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({ frames: 0, quarantined: 1 });
    expect(deps.lake.objects.has(KEY)).toBe(true);
  });

  it('puts an upload aside that unpacks to more than it may', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, gzipSync(Buffer.alloc(MAX_UNPACKED_BYTES + 1)));
    expect(await send(deps)).toEqual({ batchItemFailures: [] });
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({ frames: 0, quarantined: 1 });
    expect(announcedBy(deps.ledger.commands[0])[0]?.detail['reason']).toMatch(/unpacks to more than 33554432 bytes/);
  });

  it('puts a key aside that is not one of frames, and registers nothing', async () => {
    const deps = setUp();
    await deps.lake.put('raw/frames/oops.gz', upload());
    expect(await send(deps, 'raw/frames/oops.gz')).toEqual({ batchItemFailures: [] });
    expect(deps.ledger.commands).toEqual([]);
    expect(deps.lake.objects.has(lakeKeys.quarantine('raw/frames/oops.gz', null))).toBe(true);
  });

  it('returns the message when the object cannot be read, and only that one', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload(JSON.stringify(frame(1))));
    const answer = await registerUpload(deps)(sqsEvent(objectCreated('raw/frames/gone'), objectCreated(KEY)));
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(deps.ledger.commands).toHaveLength(1);
  });

  it('returns all messages when the ledger refuses', async () => {
    const deps = setUp(new Error('no'));
    await deps.lake.put(KEY, upload(JSON.stringify(frame(1))));
    expect(await send(deps)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
  });

  it('returns a message that is no event of S3', async () => {
    const deps = setUp();
    expect(await registerUpload(deps)(sqsEvent({ hello: 1 }))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
    expect(deps.log.errors[0]?.error.message).toMatch(/Object Created event of S3 does not match/);
  });
});

const decision = (sequence: number, more: Partial<DecisionRecord> = {}): DecisionRecord => ({
  schema: 'decision/1',
  id: `plant-a/edge-1/boot-1/${sequence}`,
  site: 'plant-a',
  device: 'edge-1',
  boot: 'boot-1',
  sequence,
  modelLine: 'predictive-maintenance/plant-a',
  asset: 'press-1',
  run: 'life-1',
  index: sequence,
  sourceTime: at,
  decidedAt: at,
  verdict: 'pass',
  value: 41.5,
  reason: 'fine',
  packageDigest: `sha256:${'1'.repeat(64)}`,
  variant: 'int8',
  featureSetDigest: `sha256:${'2'.repeat(64)}`,
  inputDigest: `sha256:${'3'.repeat(64)}`,
  features: [1, 2],
  latencyMs: 1.5,
  ...more,
});

const objectOf = (decisions: readonly DecisionRecord[], header: Record<string, unknown> = {}) => {
  const lines = decisions.map(canonicalJson);
  const head = {
    schema: 'decision-object/1' as const,
    site: 'plant-a',
    device: 'edge-1',
    boot: 'boot-1',
    firstSequence: decisions[0]?.sequence ?? 1,
    lastSequence: decisions.at(-1)?.sequence ?? 1,
    count: decisions.length,
    merkleRoot: merkleRoot(lines),
    packageDigests: [`sha256:${'1'.repeat(64)}`],
  };
  return { key: decisionObjectKey('local', head), text: [JSON.stringify({ ...head, ...header }), ...lines].join('\n') };
};

describe('record-decisions', () => {
  const send = async (o: { key: string; text: string }, deps = setUp()) => {
    await deps.lake.put(o.key, Buffer.from(o.text));
    return { answer: await recordDecisions(deps)(sqsEvent(objectCreated(o.key))), ...deps };
  };

  it('writes the table and registers the object with edges to package and run', async () => {
    const { answer, lake, ledger } = await send(
      objectOf([decision(1), decision(2, { value: null, verdict: 'fallback' })]),
    );
    expect(answer).toEqual({ batchItemFailures: [] });
    const tableKey = lakeKeys.decisions({
      site: 'plant-a',
      date: '2026-01-01',
      device: 'edge-1',
      boot: 'boot-1',
      first: 1,
      last: 2,
    });
    const rows = await readParquet(lake.objects.get(tableKey) as Uint8Array);
    expect(rows).toMatchObject([
      { sequence: 1, value: 41.5, verdict: 'pass' },
      { sequence: 2, verdict: 'fallback' },
    ]);
    expect(ledger.commands[0]).toMatchObject({
      record: { class: 'decision-object', id: 'plant-a/edge-1/boot-1/1-2' },
      edges: [
        { rel: 'decided-by', to: `package:sha256:${'1'.repeat(64)}` },
        { rel: 'about', to: 'run:plant-a/press-1/life-1' },
      ],
    });
  });

  it('announces which runs it is about, when, how many fail and who decided', async () => {
    const [first, second] = ['2026-01-01T01:00:00.000Z', '2026-01-01T02:00:00.000Z'];
    const { ledger } = await send(
      objectOf([
        decision(1, { sourceTime: second, verdict: 'fail', index: 9 }),
        decision(2, { sourceTime: first, index: 8 }),
        decision(3, { run: 'life-2', packageDigest: null, verdict: 'held' }),
      ]),
    );
    expect(EVENTS.DecisionsRecorded.parse(announcedBy(ledger.commands[0])[0]?.detail)).toMatchObject({
      device: 'edge-1',
      firstSequence: 1,
      lastSequence: 3,
      modelLines: ['predictive-maintenance/plant-a'],
      runs: [
        {
          run: 'life-1',
          first: 8,
          last: 9,
          firstAt: first,
          lastAt: second,
          failing: 1,
          served: [{ modelLine: 'predictive-maintenance/plant-a', packageDigest: `sha256:${'1'.repeat(64)}` }],
        },
        { run: 'life-2', failing: 0, served: [] },
      ],
    });
  });
  it('keeps what the champion in the shadow would have said', async () => {
    const shadow = { packageDigest: `sha256:${'4'.repeat(64)}`, value: 12.5, verdict: 'fail' as const };
    const { lake } = await send(objectOf([decision(1, { shadow }), decision(2)]));
    const [table] = [...lake.objects].filter(([key]) => key.startsWith('decisions/'));
    expect(await readParquet(table?.[1] as Uint8Array)).toMatchObject([
      { shadow_package: shadow.packageDigest, shadow_value: 12.5, shadow_verdict: 'fail' },
      {},
    ]);
  });

  const refused = async (o: { key: string; text: string }, why: RegExp) => {
    const { answer, lake, ledger, log } = await send(o);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toMatch(why);
    expect(ledger.commands).toEqual([]);
    expect(lake.objects.has(lakeKeys.quarantine(o.key, null))).toBe(true);
  };

  it('refuses an object of which one byte was changed', async () => {
    const o = objectOf([decision(1), decision(2)]);
    await refused({ ...o, text: o.text.replace('41.5', '41.6') }, /Merkle root/);
  });
  it('refuses an object that lacks a decision', () =>
    refused(objectOf([decision(1), decision(3)], { lastSequence: 3 }), /expected sequence 2/));
  it('refuses an object whose count is wrong', () =>
    refused(objectOf([decision(1)], { count: 2 }), /counts 2 decisions/));
  it('refuses an object that lies at another key than its header says', () => {
    const o = objectOf([decision(1)]);
    return refused({ ...o, key: o.key.replace('edge-1', 'edge-9') }, /the header belongs at/);
  });
  it('refuses a decision of another site', () =>
    refused(
      objectOf([decision(1, { site: 'plant-b', id: 'plant-b/edge-1/boot-1/1' })]),
      /decision 1 is of site plant-b, expected plant-a/,
    ));
  it('refuses a decision under an id that is not its own', () =>
    refused(objectOf([decision(1, { id: 'plant-a/edge-1/boot-1/7' })]), /decision 1 has the id plant-a.*7, expected/));
  it('refuses a header that names a package which did not decide', () =>
    refused(
      objectOf([decision(1, { packageDigest: null })]),
      /names the packages sha256:1+, the decisions are by none/,
    ));
  it('refuses a header that does not name a package which decided', () =>
    refused(
      objectOf([decision(1)], { packageDigests: [] }),
      /names the packages none, the decisions are by sha256:1+/,
    ));
  it('refuses an empty object', () =>
    refused({ key: 'inbox/decisions/site=plant-a/x', text: '' }, /header of .* does not match/));
});

describe('plant-events', () => {
  const failure: PlantEvent = {
    schema: 'plant-event/1',
    eventId: 'e1',
    kind: 'failure',
    site: 'plant-a',
    asset: 'press-1',
    run: 'life-1',
    index: 90,
    validTime: at,
    knownTime: at,
    reportedBy: 'maintenance',
    detail: {},
  };
  const later = '2026-01-02T00:00:00.000Z';
  const plant = () => {
    const lake = memoryStore();
    const log = memoryLog();
    const { ledger, registry, announced, versions, commands } = memoryRegistryWithLedger();
    const handler = plantEvents({ lake, ledger, registry, log });
    const drop = async (name: string, text: string) => {
      const key = `inbox/events/${name}`;
      await lake.put(key, Buffer.from(text));
      return { key, answer: await handler(sqsEvent(objectCreated(key))) };
    };
    const newest = (id = 'e1') => versions('plant-event', `plant-a/${id}`).at(-1)?.body;
    return { handler, drop, lake, log, ledger, announced, versions, commands, newest };
  };

  it('keeps and registers an event, and announces a failure as an outcome, whole', async () => {
    const { handler, lake, newest, announced } = plant();
    expect(await handler({ events: [failure] })).toEqual({ registered: 1, superseded: 0 });
    expect(lake.objects.has(lakeKeys.event('plant-a', 'e1'))).toBe(true);
    expect(newest()).toEqual(failure);
    expect(announced).toEqual([{ type: 'OutcomeKnown', detail: failure }]);
  });
  it('announces findings, repairs and inspections too, with or without a run, and what changed on a machine as that', async () => {
    const { handler, announced } = plant();
    const kinds = ['finding', 'repair', 'inspection', 'changeover', 'tool-change'] as const;
    await handler({ events: kinds.map((kind) => ({ ...failure, eventId: kind, kind, run: null, index: null })) });
    expect(announced.map((a) => `${a.type} ${a.detail['kind']}`)).toEqual([
      'OutcomeKnown finding',
      'OutcomeKnown repair',
      'OutcomeKnown inspection',
      'MachineChanged changeover',
      'MachineChanged tool-change',
    ]);
  });
  it('keeps what was said before a correction, and the correction as the newest', async () => {
    const { handler, versions } = plant();
    await handler({ events: [failure] });
    await handler({ events: [{ ...failure, index: 91, knownTime: later }] });
    expect(versions('plant-event', 'plant-a/e1').map((v) => v.body['index'])).toEqual([90, 91]);
  });
  it('takes both contents of an id in one request, the one known last as the newest', async () => {
    const { handler, versions } = plant();
    await handler({ events: [{ ...failure, index: 91, knownTime: later }, failure, failure] });
    expect(versions('plant-event', 'plant-a/e1').map((v) => v.body['index'])).toEqual([90, 91]);
  });
  it('lets what is known stand when an older content of the same event comes late, or comes again', async () => {
    const { handler, newest, lake } = plant();
    await handler({ events: [{ ...failure, index: 91, knownTime: later }] });
    expect(await handler({ events: [failure] })).toEqual({ registered: 0, superseded: 1 });
    expect(newest()?.['index']).toBe(91);
    expect(Buffer.from(lake.objects.get(lakeKeys.event('plant-a', 'e1')) as Uint8Array).toString()).toContain('91');
  });
  it('reads again when another worker registers the same event in between', async () => {
    const { handler, newest, ledger } = plant();
    const { write } = ledger;
    ledger.write = async (commands) => {
      ledger.write = write;
      await handler({ events: [{ ...failure, index: 91, knownTime: later }] });
      return write(commands);
    };
    await handler({ events: [failure] });
    expect(newest()?.['index']).toBe(91);
  });
  it('passes on what the ledger says against it', async () => {
    const { handler, ledger } = plant();
    ledger.write = async () => Promise.reject(new Error('away'));
    await expect(handler({ events: [failure] })).rejects.toThrow('away');
  });
  it('refuses events that break the contract, and keeps none of them', async () => {
    const { handler, lake } = plant();
    await expect(handler({ events: [failure, { ...failure, kind: 'party' }] })).rejects.toThrow(
      /plant events does not match its contract: events\.1\.kind/,
    );
    expect(lake.objects.size).toBe(0);
  });
  it('takes the good rows of a file and puts the others aside, with line and reason', async () => {
    const { drop, newest, lake, announced, versions } = plant();
    const { key, answer } = await drop(
      'week-3.csv',
      'eventId,kind,site,asset,run,index,validTime,knownTime,reportedBy,detail.note\n' +
        `e1,failure,plant-a,press-1,life-1,90,${at},${at},maintenance,"loud, hot"\n` +
        `e2,party,plant-a,press-1,life-1,90,${at},${at},maintenance,\n`,
    );
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(newest()).toEqual({ ...failure, detail: { note: 'loud, hot' } });
    expect(newest('e2')).toBeUndefined();
    const aside = JSON.parse(Buffer.from(lake.objects.get(lakeKeys.quarantine(key, null)) as Uint8Array).toString());
    expect(aside).toMatchObject({
      line: 3,
      reason: expect.stringMatching(/^kind: /),
      text: expect.stringMatching(/^e2,/),
    });
    expect(announced.at(-1)).toMatchObject({ type: 'Quarantined', detail: { key, records: 1, site: 'plant-a' } });
    expect(versions('event-file', key).at(-1)?.body).toMatchObject({ events: 1, quarantined: 1 });
  });
  it('takes a file that is dropped again without a second word', async () => {
    const { drop, commands } = plant();
    await drop('a.jsonl', `${JSON.stringify(failure)}\n`);
    const before = commands.length;
    await drop('a.jsonl', `${JSON.stringify(failure)}\n`);
    expect(commands).toHaveLength(before);
  });
  it('returns a file that is not there, and takes the next one', async () => {
    const { handler, lake, log, newest } = plant();
    await lake.put('inbox/events/b.json', Buffer.from(JSON.stringify([failure])));
    expect(await handler(sqsEvent(objectCreated('inbox/events/a.json'), objectCreated('inbox/events/b.json')))).toEqual(
      { batchItemFailures: [{ itemIdentifier: 'm0' }] },
    );
    expect(log.errors[0]?.error.message).toContain('inbox/events/a.json does not exist');
    expect(newest()).toEqual(failure);
  });
});
