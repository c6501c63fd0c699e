import { gunzipSync, gzipSync } from 'node:zlib';
import type { DecisionRecord } from '../../../core/contracts/decision.ts';
import { decisionObjectKey } from '../../../core/contracts/decision.ts';
import type { Frame } from '../../../core/contracts/frame.ts';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import { canonicalJson } from '../../../core/lineage/canonical-json.ts';
import { merkleRoot } from '../../../core/lineage/digest.ts';
import { makeHandler as plantEvents } from '../../../lambdas/plant-events/handler.ts';
import { makeHandler as recordDecisions } from '../../../lambdas/record-decisions/handler.ts';
import { makeHandler as registerUpload } from '../../../lambdas/register-upload/handler.ts';
import { MAX_UNPACKED_BYTES } from '../../../lambdas/shared/frames.ts';
import { readParquet } from '../../../lambdas/shared/parquet.ts';
import { memoryLedger, memoryLog, memoryStore, objectCreated, sqsEvent } from '../../support/fakes.ts';

const at = '2026-01-01T00:00:00.000Z';
const frame = (index: number, more: Partial<Frame> = {}): Frame => ({
  schema: 'frame/1',
  site: 'plant-a',
  asset: 'press-1',
  run: 'life-1',
  index,
  context: 'production',
  sourceTime: at,
  receivedTime: at,
  signals: { speed: { value: 1500, quality: 'GOOD' } },
  ...more,
});
const upload = (...lines: string[]) => gzipSync(lines.join('\n'));
const KEY = lakeKeys.frames({ site: 'plant-a', asset: 'press-1', run: 'life-1', first: 1, last: 3 });

const setUp = (refuse?: Error) => {
  const lake = memoryStore();
  const ledger = memoryLedger(refuse);
  const log = memoryLog();
  return { lake, ledger, log, stage: 'local' };
};

describe('register-upload', () => {
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
      expect(deps.lake.objects.has(lakeKeys.quarantine(key))).toBe(registered === 0);
    }
  });

  it('puts bad lines aside with their reasons, counts the rest, and announces it', async () => {
    const deps = setUp();
    await deps.lake.put(KEY, upload(JSON.stringify(frame(1)), '{"schema":"frame/1"}', 'no json'));
    await send(deps);
    const aside = gunzipSync(deps.lake.objects.get(lakeKeys.quarantine(KEY)) as Uint8Array).toString();
    expect(aside.split('\n').map((l) => JSON.parse(l).line)).toEqual([2, 3]);
    expect(deps.ledger.commands[0]?.record.body).toMatchObject({ frames: 1, quarantined: 2 });
    expect(deps.ledger.commands[0]?.announce).toMatchObject({ type: 'Quarantined', detail: { records: 2 } });
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
    expect(deps.ledger.commands[0]?.announce?.detail['reason']).toMatch(/unpacks to more than 33554432 bytes/);
  });

  it('puts a key aside that is not one of frames, and registers nothing', async () => {
    const deps = setUp();
    await deps.lake.put('raw/frames/oops.gz', upload());
    expect(await send(deps, 'raw/frames/oops.gz')).toEqual({ batchItemFailures: [] });
    expect(deps.ledger.commands).toEqual([]);
    expect(deps.lake.objects.has(lakeKeys.quarantine('raw/frames/oops.gz'))).toBe(true);
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

  const refused = async (o: { key: string; text: string }, why: RegExp) => {
    const { answer, lake, ledger, log } = await send(o);
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
    expect(log.errors[0]?.error.message).toMatch(why);
    expect(ledger.commands).toEqual([]);
    expect(lake.objects.has(lakeKeys.quarantine(o.key))).toBe(true);
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
  const failure = {
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

  it('keeps and registers an event, and announces a failure as an outcome', async () => {
    const { lake, ledger } = setUp();
    expect(await plantEvents({ lake, ledger })({ events: [failure] })).toEqual({ registered: 1 });
    expect(lake.objects.has(lakeKeys.event('plant-a', 'e1'))).toBe(true);
    expect(ledger.commands[0]).toMatchObject({
      record: { class: 'plant-event', id: 'plant-a/e1' },
      announce: { type: 'OutcomeKnown', detail: { run: 'life-1', index: 90 } },
    });
  });
  it('announces nothing for what ends no run', async () => {
    const { lake, ledger } = setUp();
    await plantEvents({ lake, ledger })({ events: [{ ...failure, kind: 'finding', index: null }] });
    expect(ledger.commands[0]?.announce).toBeUndefined();
  });
  it('gives a correction of an event another command id', async () => {
    const { lake, ledger } = setUp();
    await plantEvents({ lake, ledger })({ events: [failure, { ...failure, index: 91 }] });
    expect(new Set(ledger.commands.map((c) => c.commandId)).size).toBe(2);
  });
  it('refuses events that break the contract, and keeps none of them', async () => {
    const { lake, ledger } = setUp();
    await expect(plantEvents({ lake, ledger })({ events: [failure, { ...failure, kind: 'party' }] })).rejects.toThrow(
      /plant events does not match its contract: events\.1\.kind/,
    );
    expect(lake.objects.size).toBe(0);
  });
});
