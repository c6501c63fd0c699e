import { gzipSync } from 'node:zlib';
import { lakeKeys } from '../../../core/contracts/lake.ts';
import { qualityTopic } from '../../../core/contracts/quality.ts';
import { QuarantinedMessage, QuarantineRecord } from '../../../core/contracts/quarantine.ts';
import type { UseCase } from '../../../core/contracts/use-case.ts';
import { makeHandler } from '../../../lambdas/batch-writer/handler.ts';
import type { Claim } from '../../../lambdas/shared/landing-table.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { memoryLedger, memoryLog, memoryStore, recordCommand, registryOf, sqsEvent } from '../../support/fakes.ts';
import { digest } from '../../support/feature-digest.ts';
import { jsonLines } from '../../support/json-lines.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import { memoryLanding, observations, published } from '../../support/memory-landing.ts';

const NOW = '2026-01-02T03:04:05.000Z';

const setUp = (more: { refuse?: Error; put?: () => Promise<never>; useCase?: object } = {}) => {
  const lake = memoryStore();
  const ledger = memoryLedger(more.refuse);
  const log = memoryLog();
  const landing = memoryLanding();
  const clock = { now: NOW };
  let batches = 0;
  const handler = makeHandler({
    lake: more.put === undefined ? lake : { ...lake, put: more.put },
    landing,
    registry: registryOf(more.useCase === undefined ? [] : [recordCommand('use-case', 'u', more.useCase)]),
    ledger,
    stage: 'local',
    log,
    now: () => clock.now,
    newBatch: () => `batch-${++batches}`,
    leaseMs: 75_000,
  });
  return { handler, lake, ledger, log, landing, clock };
};
type SetUp = ReturnType<typeof setUp>;

const keysIn = ({ lake }: SetUp, prefix: string) => [...lake.objects.keys()].filter((k) => k.startsWith(prefix));
const asideIn = ({ lake }: SetUp) =>
  [...lake.objects]
    .filter(([k]) => k.startsWith('quarantine/messages/'))
    .flatMap(([, bytes]) => jsonLines(bytes))
    .map((line) => QuarantinedMessage.parse(line));

/** JSON of a message, a `#` in it made a byte that no UTF-8 has. */
const notUtf8 = (message: unknown): Buffer => {
  const bytes = Buffer.from(JSON.stringify(message));
  bytes[bytes.indexOf('#')] = 0xff;
  return bytes;
};

describe('batch-writer', () => {
  it('writes the observations of a batch into one file a site, one row a point', async () => {
    const s = setUp();
    const answer = await s.handler(
      sqsEvent(published(observations(1, [1.5, null, 'open', true])), published(observations(2))),
    );
    expect(answer).toEqual({ batchItemFailures: [] });
    expect(keysIn(s, 'curated/')).toEqual([
      'curated/observations/tier=hot/site=plant-a/date=2026-01-02/batch-1.parquet',
    ]);
    expect(await rowsUnder(s.lake, 'observations', 'curated/')).toMatchObject([
      {
        sequence: 1,
        position: 0,
        value: 1.5,
        text: null,
        quality: 'GOOD',
        unit: 'bar',
        source_time: '2026-01-02T03:04:00.000Z',
      },
      { sequence: 1, position: 1, value: null, quality: 'BAD' },
      { sequence: 1, position: 2, value: null, text: 'open' },
      { sequence: 1, position: 3, value: 1 },
      { sequence: 2, position: 0, value: 2, connector: 'millwright-connector', config_version: 'v1' },
    ]);
  });

  it('writes feature digests and findings of quality to their tables', async () => {
    const s = setUp();
    const finding = {
      schema: 'quality-finding/1',
      site: 'plant-a',
      asset: 'press-1',
      signal: 'pressure',
      check: 'stuck',
      from: NOW,
      to: NOW,
      open: true,
      count: 3,
      worst: null,
      says: 'the same value for 3 s',
    };
    const message = {
      schema: 'quality/1',
      site: 'plant-a',
      device: 'edge-1',
      boot: 'b',
      sequence: 1,
      at: NOW,
      findings: [finding],
    };
    await s.handler(sqsEvent(digest(1, 2, [1, 1]), published(message, qualityTopic('local', 'plant-a', 'edge-1'))));
    expect(await rowsUnder(s.lake, 'telemetry', 'telemetry/tier=hot/')).toMatchObject([
      { feature: 'speed', counts: [1, 1, 0, 0, 0, 0] },
    ]);
    expect(await rowsUnder(s.lake, 'quality', 'curated/quality/tier=hot/')).toMatchObject([
      { check: 'stuck', open: true, worst: null, found_by: 'edge-1' },
    ]);
  });

  it('lands a message once, whether it comes twice in a batch, again, or in other company', async () => {
    const s = setUp();
    await s.handler(sqsEvent(published(observations(1)), published(observations(1))));
    await s.handler(sqsEvent(published(observations(1)), published(observations(2))));
    expect((await rowsUnder(s.lake, 'observations', 'curated/')).map((r) => r.sequence)).toEqual([1, 2]);
  });

  it('sends a message back that another batch has claimed, and takes it over when the lease of that is past', async () => {
    const s = setUp();
    const dead = setUp({ put: () => Promise.reject(new Error('died')) });
    await dead.handler(sqsEvent(published(observations(1))));
    const [[id, claim] = ['', undefined]] = dead.landing.claims;
    s.landing.claims.set(id, {
      ...(claim as Claim),
      key: 'curated/observations/tier=hot/site=plant-a/date=2026-01-02/dead.parquet',
      leaseUntil: Date.parse(NOW) + 1000,
    });
    expect((await s.handler(sqsEvent(published(observations(1))))).batchItemFailures).toHaveLength(1);
    expect(s.log.errors[0]?.error.message).toMatch(/claimed by another batch/);
    s.clock.now = '2026-01-02T03:04:07.000Z';
    expect((await s.handler(sqsEvent(published(observations(1))))).batchItemFailures).toEqual([]);
    expect(await rowsUnder(s.lake, 'observations', 'curated/')).toHaveLength(1);
  });

  it('puts a second message of the same name with other content aside', async () => {
    const s = setUp();
    await s.handler(sqsEvent(published(observations(1, [1])), published(observations(1, [2]))));
    await s.handler(sqsEvent(published(observations(1, [3]))));
    expect((await rowsUnder(s.lake, 'observations', 'curated/')).map((r) => r.value)).toEqual([1]);
    expect(asideIn(s).map((m) => m.class)).toEqual(['name-used', 'name-used']);
  });

  it.each([
    ['not-json', 'no json', undefined, /^not JSON/],
    ['contract', '{"schema":"observations/1"}', undefined, /site: /],
    ['sender', observations(1, [1], { device: 'edge-2' }), undefined, /came on .*edge-1.*expected .*edge-2/],
    ['sender', observations(1), 'elsewhere/observations', /expected millwright\/local/],
    ['sender', observations(1), 'millwright/other/plant-a/edge-1/observations', /expected millwright\/local/],
    [
      'unit',
      observations(1, [1], { series: [{ ...observations(1).series[0], unit: 'furlongs' } as never] }),
      undefined,
      /UCUM/,
    ],
  ] as const)('puts a message aside for its %s, with its bytes', async (kind, message, topic, reason) => {
    const s = setUp();
    const body = published(message, topic);
    expect(await s.handler(sqsEvent(body))).toEqual({ batchItemFailures: [] });
    expect(keysIn(s, 'curated/')).toEqual([]);
    expect(asideIn(s)).toEqual([
      expect.objectContaining({
        class: kind,
        reason: expect.stringMatching(reason),
        bytes: body.bytes,
        topic: body.cameOn,
      }),
    ]);
  });

  it('puts a value aside whose unit measures something else than the published use cases say of the signal', async () => {
    const useCase = definitions[0]?.useCase as UseCase;
    const [signal] = useCase.signals;
    const s = setUp({ useCase });
    const of = (unit: string, sequence: number) =>
      observations(sequence, [1], { series: [{ ...observations(1).series[0], signal: signal?.name, unit } as never] });
    await s.handler(sqsEvent(published(of('K', 1)), published(of(signal?.unit as string, 2))));
    expect(asideIn(s).map((m) => m.reason)).toEqual([expect.stringMatching(/measures something else than/)]);
    expect(await rowsUnder(s.lake, 'observations', 'curated/')).toHaveLength(1);
  });

  it('puts a digest aside whose sketch cannot be read, and names its feature', async () => {
    const s = setUp();
    await s.handler(sqsEvent(digest(1, 2, [1, 1], { sketches: [['speed', 'AQ==']] })));
    expect(asideIn(s)).toMatchObject([
      { class: 'contract', reason: expect.stringContaining('the packed sketch of speed cannot be read') },
    ]);
  });

  it('puts a message aside with every byte whose text is no UTF-8, and stores none of it', async () => {
    const s = setUp();
    const bytes = notUtf8(observations(1, ['ab#cd']));
    await s.handler(sqsEvent({ ...published('x'), bytes: bytes.toString('base64') }));
    expect(keysIn(s, 'curated/')).toEqual([]);
    expect(asideIn(s)).toMatchObject([
      { class: 'not-json', reason: expect.stringMatching(/not UTF-8/), bytes: bytes.toString('base64') },
    ]);
  });

  it('records and announces what it puts aside', async () => {
    const s = setUp();
    await s.handler(sqsEvent(published('x'), published('y'), 'no message of a rule'));
    expect(
      s.ledger.commands.map((c) => [
        c.site,
        [c.announce].flat()[0]?.type,
        QuarantineRecord.parse(c.record.body).records,
      ]),
    ).toEqual([
      ['plant-a', 'Quarantined', 2],
      ['unknown', 'Quarantined', 1],
    ]);
  });

  it('keeps a malformed message once however often it comes, and records it again under the same command', async () => {
    const s = setUp();
    await s.handler(sqsEvent(published('x')));
    await s.handler(sqsEvent(published('x'), published('x')));
    expect(asideIn(s)).toHaveLength(1);
    expect(new Set(s.ledger.commands.map((c) => c.commandId)).size).toBe(1);
  });

  it('returns what it put aside when the ledger refuses', async () => {
    const s = setUp({ refuse: new Error('no') });
    expect(await s.handler(sqsEvent(published('x'), published(observations(1))))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm0' }],
    });
  });

  it('returns all messages of a site that cannot be written', async () => {
    const s = setUp({ put: () => Promise.reject(new Error('full')) });
    expect((await s.handler(sqsEvent(published(observations(1)), published('x')))).batchItemFailures).toHaveLength(2);
  });
});

describe('batch-writer, of uploads of observations', () => {
  const KEY = lakeKeys.observations({ site: 'plant-a', thing: 'local-plant-a-edge-1', name: 'boot-1-1-3' });
  const created = (key = KEY) => ({
    source: 'aws.s3',
    detail: { bucket: { name: 'bucket' }, object: { key } },
  });
  const lines = (...messages: unknown[]) =>
    gzipSync(messages.map((m) => (typeof m === 'string' ? m : JSON.stringify(m))).join('\n'));

  it('lands each message once, also when it came by MQTT before or the upload comes again', async () => {
    const s = setUp();
    await s.handler(sqsEvent(published(observations(2))));
    await s.lake.put(KEY, lines(observations(1), observations(2), observations(3)));
    await s.handler(sqsEvent(created()));
    expect(await s.handler(sqsEvent(created()))).toEqual({ batchItemFailures: [] });
    expect((await rowsUnder(s.lake, 'observations', 'curated/')).map((r) => r.sequence).sort()).toEqual([1, 2, 3]);
  });

  it('puts bad lines aside with line and reason, records them, and lands the others', async () => {
    const s = setUp();
    await s.lake.put(
      KEY,
      lines(observations(1), 'oops', observations(3, [1], { device: 'edge-9' }), observations(1, [7])),
    );
    await s.handler(sqsEvent(created()));
    const aside = jsonLines<Record<string, unknown>>(await s.lake.get(lakeKeys.quarantine(KEY, null)));
    expect(aside.map((l) => [l['line'], l['class']])).toEqual([
      [2, 'not-json'],
      [3, 'sender'],
      [4, 'name-used'],
    ]);
    expect(s.ledger.commands).toMatchObject([
      { record: { class: 'quarantine', body: { records: 3 } }, announce: { type: 'Quarantined' } },
    ]);
    expect(await rowsUnder(s.lake, 'observations', 'curated/')).toHaveLength(1);
  });

  it('puts the line aside that is no UTF-8, and lands the lines beside it', async () => {
    const s = setUp();
    const good = (n: number) => Buffer.from(`${JSON.stringify(observations(n, ['é']))}\n`);
    await s.lake.put(
      KEY,
      gzipSync(Buffer.concat([good(1), notUtf8(observations(2, ['ab#cd'])), Buffer.from('\n'), good(3)])),
    );
    await s.handler(sqsEvent(created()));
    expect((await rowsUnder(s.lake, 'observations', 'curated/')).map((r) => r.sequence).sort()).toEqual([1, 3]);
    expect(s.ledger.commands).toMatchObject([
      { record: { body: { records: 1, reason: expect.stringMatching(/not UTF-8/) } } },
    ]);
  });

  it.each([
    ['is no gzip', KEY, Buffer.from('plain'), /not gzip/],
    ['unpacks to more than it may', KEY, gzipSync(Buffer.alloc(33 * 1024 * 1024)), /unpacks to more than/],
    [
      'has the key of a thing of another site',
      KEY.replace('local-plant-a', 'local-plant-b'),
      gzipSync(''),
      /the key is not/,
    ],
  ])('puts an upload aside that %s', async (_, key, bytes, reason) => {
    const s = setUp();
    await s.lake.put(key, bytes);
    expect(await s.handler(sqsEvent(created(key)))).toEqual({ batchItemFailures: [] });
    expect(s.ledger.commands).toMatchObject([
      { record: { body: { records: 1, reason: expect.stringMatching(reason) } } },
    ]);
  });

  it('returns an upload of which a message is claimed by another batch, or that cannot be read', async () => {
    const s = setUp();
    await s.handler(sqsEvent(published(observations(1))));
    for (const key of keysIn(s, 'curated/')) s.lake.objects.delete(key);
    await s.lake.put(KEY, lines(observations(1)));
    expect((await s.handler(sqsEvent(created(), created('raw/observations/gone')))).batchItemFailures).toHaveLength(2);
    expect(s.log.errors.map((e) => e.error.message)).toEqual([
      expect.stringMatching(/still be writing/),
      expect.stringMatching(/does not exist/),
    ]);
  });

  it('returns an upload that cannot be written', async () => {
    const s = setUp({ put: () => Promise.reject(new Error('full')) });
    await s.lake.put(KEY, lines(observations(1)));
    expect((await s.handler(sqsEvent(created()))).batchItemFailures).toHaveLength(1);
  });

  it('takes what a device says for a message, whatever it looks like', async () => {
    const s = setUp();
    await s.handler(sqsEvent({ ...created(), cameOn: 'millwright/local/plant-a/edge-1/digest' }));
    expect(asideIn(s).map((m) => m.class)).toEqual(['contract']);
  });
});
