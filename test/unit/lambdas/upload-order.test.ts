import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { lakeKeys, RawObjectRecord } from '#core/contracts/lake.ts';
import { makeHandler } from '../../../lambdas/register-upload/handler.ts';
import { compareSequencers } from '../../../lambdas/shared/object-created.ts';
import { memoryLog, sqsEvent } from '../../support/fakes.ts';
import { versionedStore } from '../../support/feature-store.ts';
import { memoryRegistryWithLedger } from '../../support/memory-judging.ts';
import { memoryLanding } from '../../support/memory-landing.ts';
import { level } from '../feature-sets/a-run.ts';

const KEY = lakeKeys.frames({ site: 'plant-a', asset: 'm1', run: 'life-01', first: 1, last: 1 });

const setUp = () => {
  const lake = versionedStore();
  const log = memoryLog();
  const { registry, ledger, commands } = memoryRegistryWithLedger();
  const take = makeHandler({
    lake,
    ledger,
    registry,
    log,
    landing: memoryLanding(),
    now: () => '2026-01-02T00:00:00.000Z',
    newBatch: () => 'batch',
    leaseMs: 1000,
  });
  return {
    log,
    commands,
    registry,
    /** Puts a version of the upload. @returns the event that tells of it. */
    async put(value: number, sequencer?: string) {
      const { key, versionId } = await lake.put(KEY, gzipSync(JSON.stringify(level(1, value))));
      const object = { key, 'version-id': versionId, ...(sequencer === undefined ? {} : { sequencer }) };
      return { detail: { bucket: { name: 'lake' }, object } };
    },
    take: (...events: object[]) => take(sqsEvent(...events)),
    newest: async () => RawObjectRecord.parse((await registry.latest('raw-object', KEY))?.body).versionId,
  };
};
const NONE = { batchItemFailures: [] };

test('an upload that was replaced is not registered over what replaced it, and its message is done', async () => {
  const { put, take, newest, log } = setUp();
  const [first, second] = [await put(1, '0A'), await put(2, '0B')];
  await take(second);
  expect(await take(first)).toEqual(NONE);
  expect(await newest()).toBe('1');
  expect(log.errors.map((e) => `${e.message}: ${e.error.message}`)).toEqual([
    `version 0 of ${KEY} is not registered: it is older than version 1, which is registered`,
  ]);
});

test.each([
  ['in order', [0, 1, 2]],
  ['in no order', [1, 2, 0]],
  ['with one twice', [0, 1, 1, 2]],
])('of uploads that come in one batch %s the latest is registered at last', async (_, order) => {
  const { put, take, newest } = setUp();
  const events = [await put(1, '0A'), await put(2, '0B'), await put(1, '0C')];
  expect(await take(...order.map((i) => events[i] as object))).toEqual(NONE);
  expect(await newest()).toBe('2');
});

test('an upload that was registered meanwhile by another call is taken again, and then found to be older or not', async () => {
  const { put, take, newest, registry } = setUp();
  const [first, second] = [await put(1, '0A'), await put(2, '0B')];
  const { latest } = registry;
  registry.latest = async () => null;
  await take(second);
  expect(await take(first)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
  registry.latest = latest;
  expect(await take(first)).toEqual(NONE);
  expect(await newest()).toBe('1');
});

test('uploads of which S3 does not say the order are registered as they come', async () => {
  const { put, take, newest, commands } = setUp();
  const [first, second] = [await put(1), await put(2)];
  await take(second);
  await take(first);
  expect(await newest()).toBe('0');
  expect(commands.map((c) => c.expectVersion)).toEqual([undefined, undefined]);
});

test('a version that is told of again without its place in the order keeps it', async () => {
  const { put, take, newest } = setUp();
  const [first, second] = [await put(1, '0A'), await put(2, '0B')];
  await take(second);
  const { key, 'version-id': version } = second.detail.object;
  await take({ detail: { ...second.detail, object: { key, 'version-id': version } } });
  await take(first);
  expect(await newest()).toBe('1');
});

test('one that cannot be read does not keep those after it from being registered', async () => {
  const { put, take, newest } = setUp();
  const first = await put(1, '0A');
  const second = await put(2, '0B');
  const gone = { detail: { ...first.detail, object: { ...first.detail.object, 'version-id': '7' } } };
  expect(await take(gone, second)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm0' }] });
  expect(await newest()).toBe('1');
});

test('sequencers of different lengths are padded on the right', () => {
  expect(compareSequencers('0055AED6DCD90281E5', '0055AED6DCD90281E6')).toBeLessThan(0);
  expect(compareSequencers('0B', '0A00')).toBeGreaterThan(0);
  expect(compareSequencers('0A', '0A00')).toBe(0);
  const hex = fc.stringMatching(/^[0-9A-F]{1,24}$/);
  fc.assert(
    fc.property(hex, hex, hex, (a, b, c) => {
      expect(compareSequencers(a, b) + compareSequencers(b, a)).toBe(0);
      if (compareSequencers(a, b) <= 0 && compareSequencers(b, c) <= 0)
        expect(compareSequencers(a, c)).toBeLessThanOrEqual(0);
    }),
  );
});
