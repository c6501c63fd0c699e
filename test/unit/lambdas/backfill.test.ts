import { BackfillRecord } from '#core/contracts/feature-store.ts';
import { backfillKeys } from '#core/contracts/lake.ts';
import { featureSetRecord } from '#core/feature-sets/record.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { makeHandler as backfillPart } from '../../../lambdas/backfill-part/handler.ts';
import { makeHandler as listBackfill } from '../../../lambdas/list-backfill/handler.ts';
import { makeHandler as recordBackfill } from '../../../lambdas/record-backfill/handler.ts';
import type { LedgerCommandInput } from '../../../lambdas/shared/ledger-client.ts';
import { makeHandler as storeFeatures } from '../../../lambdas/store-features/handler.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { memoryLedger, memoryLog, sqsEvent } from '../../support/fakes.ts';
import { upload, versionedRegistry, versionedStore } from '../../support/feature-store.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import { DEFINITION, FEATURE_SET, level } from '../feature-sets/a-run.ts';
import { good } from '../features/a-frame.ts';

const SET = digestOf(FEATURE_SET);
const useCase = {
  ...(definitions[0] as (typeof definitions)[number]).useCase,
  featureSet: FEATURE_SET,
  signals: [...DEFINITION.signals],
};
const USE_CASE = digestOf(useCase);
const EXECUTION = { id: 'arn:execution', name: 'e1', startedAt: '2026-02-01T00:00:00.000Z' };
const REQUEST = {
  backfillId: 'bf-1',
  featureSetDigest: SET,
  site: 'plant-a',
  from: '2026-01-01',
  to: '2026-01-31',
  asset: null,
  requestedBy: 'cli:ann',
  reason: 'new set',
};
const CORRECTED = '2026-06-02T00:00:00.000Z';
const retired = { by: 'cli:ann', reason: 'sensor gone', at: '2026-01-01T00:00:00.000Z', breaks: [] };

const setUp = (o: { set?: object | null; line?: boolean } = {}) => {
  const lake = versionedStore();
  const registry = versionedRegistry();
  const ledger = memoryLedger();
  const log = memoryLog();
  if (o.set !== null) registry.write('feature-set', SET, { ...featureSetRecord(useCase), ...o.set });
  registry.write('use-case', USE_CASE, useCase);
  if (o.line !== false)
    for (const modelLine of ['pm/plant-a', 'pm2/plant-a'])
      registry.write('model-line', modelLine, aModelLine(modelLine, USE_CASE));
  const deps = { lake, registry, ledger, log };
  const record = (): BackfillRecord =>
    BackfillRecord.parse(
      (ledger.commands.findLast((c) => c.record.class === 'backfill') as LedgerCommandInput).record.body,
    );
  const step = { list: listBackfill(deps), part: backfillPart(deps), record: recordBackfill(deps) };
  return {
    ...deps,
    step,
    send: (indexes: readonly number[]) =>
      upload(
        deps,
        indexes.map((i) => level(i, i)),
      ),
    /** Uploads the same frames again, with another signal in place of the level. */
    correct: (indexes: readonly number[]) =>
      upload(
        deps,
        indexes.map((i) => level(i, i, { signals: { speed: good(i) } })),
        { at: CORRECTED },
      ),
    takes: storeFeatures(deps),
    rows: () => rowsUnder(lake, 'features', 'features/store/'),
    last: record,
    stored: () => lake.list('features/store/'),
    /** The steps as the workflow calls them. */
    async run(state: object = {}) {
      const { itemsKey } = await step.list({ execution: EXECUTION, request: REQUEST });
      registry.write('backfill', REQUEST.backfillId, record());
      for (const line of Buffer.from(await lake.get(itemsKey))
        .toString('utf8')
        .split('\n'))
        if (line !== '') await step.part(JSON.parse(line));
      await step.record({ execution: EXECUTION, state: { ...REQUEST, ...state } });
      return record();
    },
  };
};

/** @returns how often something was listed since. */
const countLists = (lake: ReturnType<typeof versionedStore>) => {
  let listed = 0;
  const { list } = lake;
  lake.list = async (prefix) => {
    listed += 1;
    return list(prefix);
  };
  return () => listed;
};

describe('the store, as frames are registered', () => {
  it('has the rows of every published feature set whose signals they have', async () => {
    const { send, takes, stored } = setUp();
    const { event } = await send([1, 2, 3]);
    expect(await takes(sqsEvent(event))).toEqual({ batchItemFailures: [] });
    expect(await stored()).toHaveLength(1);
  });

  it('has those of a set that was published before sets had records', async () => {
    const { send, takes, stored } = setUp({ set: null });
    await takes(sqsEvent((await send([1])).event));
    expect(await stored()).toHaveLength(1);
  });

  it.each([
    ['is published at another site only', { line: false }],
    ['is retired', { set: { retired } }],
  ])('has no rows of a set that %s', async (_, o) => {
    const { send, takes, stored } = setUp(o);
    await takes(sqsEvent((await send([1])).event));
    expect(await stored()).toEqual([]);
  });

  it('takes the features back of frames that a correction takes a signal of', async () => {
    const { send, correct, takes, rows } = setUp();
    await takes(sqsEvent((await send([1, 2, 3])).event));
    await takes(sqsEvent((await correct([1, 2, 3])).event));
    expect((await rows()).filter((r) => r.known_time === CORRECTED).map((r) => [r.index, r.x])).toEqual([
      [1, []],
      [2, []],
      [3, []],
    ]);
  });

  it('has no row of frames that never had the signals of a set, and lists their run once to know it', async () => {
    const { correct, takes, stored, lake } = setUp();
    const { event } = await correct([1, 2, 3]);
    const listed = countLists(lake);
    await takes(sqsEvent(event));
    expect(listed()).toBe(1);
    expect(await stored()).toEqual([]);
  });

  it('reads the frames before once for uploads that follow each other', async () => {
    const { send, takes, lake } = setUp();
    const events = [];
    for (const indexes of [
      [1, 2],
      [3, 4],
      [5, 6],
    ])
      events.push((await send(indexes)).event);
    const listed = countLists(lake);
    await takes(sqsEvent(...events.reverse()));
    expect(listed()).toBe(2);
  });

  it('has the rows of each site where two sites have a machine and a run of the same name', async () => {
    const { lake, registry, takes, stored } = setUp();
    registry.write('model-line', 'pm/plant-b', aModelLine('pm/plant-b', USE_CASE));
    const a = await upload({ lake, registry }, [level(1, 1), level(2, 2)]);
    const b = await upload({ lake, registry }, [level(1, 1, { site: 'plant-b' }), level(2, 2, { site: 'plant-b' })]);
    await takes(sqsEvent(a.event, b.event));
    expect((await stored()).map((key) => /site=([^/]+)/.exec(key)?.[1])).toEqual(['plant-a', 'plant-b']);
  });

  it('gives back the message whose raw object is gone, and that which is none', async () => {
    const { send, takes, lake, log } = setUp();
    const gone = await send([1, 2]);
    lake.forget(gone.key);
    await lake.put(gone.key, Buffer.from('other'));
    const good = await send([100, 101]);
    expect(await takes(sqsEvent(gone.event, good.event, { detail: {} }))).toEqual({
      batchItemFailures: [{ itemIdentifier: 'm2' }, { itemIdentifier: 'm0' }],
    });
    expect(log.errors.map((e) => e.error.message).join('\n')).toContain(gone.key);
  });
});

describe('a backfill', () => {
  it('writes rows of what was there before, and records how much', async () => {
    const { send, run, stored } = setUp();
    await send([1, 2, 3]);
    await send([4, 5, 6]);
    expect(await run()).toMatchObject({
      status: 'done',
      parts: 1,
      objects: 2,
      frames: 6,
      rows: 6,
      written: 2,
      unchanged: 0,
      failures: 0,
    });
    expect(await stored()).toHaveLength(2);
  });

  it('writes the very objects that were written as the frames came', async () => {
    const { send, takes, run, stored } = setUp();
    await takes(sqsEvent((await send([1, 2, 3])).event, (await send([4, 5, 6])).event));
    const before = await stored();
    expect(await run()).toMatchObject({ status: 'done', written: 0, unchanged: 2, rows: 6 });
    expect(await stored()).toEqual(before);
  });

  it('takes the features back of frames that a correction took a signal of before', async () => {
    const { send, correct, takes, run, rows } = setUp();
    await takes(sqsEvent((await send([1, 2, 3])).event));
    await correct([1, 2, 3]);
    expect(await run()).toMatchObject({ status: 'done', parts: 1, objects: 1, frames: 3, written: 1, unchanged: 1 });
    expect((await rows()).filter((r) => r.known_time === CORRECTED)).toHaveLength(3);
  });

  it('lists frames of its site and its asset only, and looks up no others', async () => {
    const { lake, registry, ledger, send } = setUp();
    await send([1, 2, 3]);
    await upload({ lake, registry }, [level(1, 1, { asset: 'm2' })]);
    await upload({ lake, registry }, [level(1, 1, { site: 'plant-b' })]);
    const asked: string[] = [];
    const counted: typeof registry = {
      ...registry,
      latest: (c, id) => {
        if (c === 'raw-object') asked.push(id);
        return registry.latest(c, id);
      },
    };
    const list = listBackfill({ lake, registry: counted, ledger });
    await list({ execution: EXECUTION, request: REQUEST });
    expect(asked.map((key) => /site=[^/]+\/asset=[^/]+/.exec(key)?.[0])).toEqual([
      'site=plant-a/asset=m1',
      'site=plant-a/asset=m2',
    ]);
    asked.length = 0;
    await list({ execution: EXECUTION, request: { ...REQUEST, asset: 'm2' } });
    expect(asked).toHaveLength(1);
  });

  it('says so when it is done with nothing to do', async () => {
    const { run } = setUp();
    expect(await run()).toMatchObject({ status: 'done', parts: 0, rows: 0 });
  });

  it('names the raw objects that gave no rows, and keeps what the others gave', async () => {
    const { send, run, lake, stored } = setUp();
    const { key } = await send([1, 2, 3]);
    await send([40, 41, 42]);
    lake.forget(key);
    await lake.put(key, Buffer.from('other'));
    const record = await run();
    expect(record).toMatchObject({ status: 'failed', failures: 1, rows: 3 });
    expect(record.failed).toEqual([{ key, reason: expect.stringContaining('is not what was registered') }]);
    expect(record.detail).toContain(key);
    expect(await stored()).toHaveLength(1);
  });

  it('records the fault of a step in its words', async () => {
    const { run } = setUp();
    const failed = { Compute: { Error: 'Error', Cause: JSON.stringify({ errorMessage: 'no memory' }) } };
    expect(await run({ failed })).toMatchObject({ status: 'failed', detail: 'Error: no memory' });
  });

  it('records that someone stopped it', async () => {
    const { step, last } = setUp();
    await step.record({
      source: 'aws.states',
      detail: {
        executionArn: EXECUTION.id,
        name: 'e1',
        status: 'ABORTED',
        startDate: 0,
        input: JSON.stringify(REQUEST),
      },
    });
    expect(last()).toMatchObject({ status: 'failed', detail: 'Aborted: someone stopped it' });
  });

  it('says which runs it is about and which set it used', async () => {
    const { send, step, ledger } = setUp();
    await send([1]);
    await step.list({ execution: EXECUTION, request: REQUEST });
    expect(ledger.commands.flatMap((c) => c.edges ?? []).map((e) => `${e.rel} ${e.to}`)).toEqual([
      `used feature-set:${SET}`,
      'about run:plant-a/m1/life-01',
    ]);
  });

  it.each([
    ['of a set that nobody published', { set: null }, {}, /there is no feature set .* millwright publish/],
    ['of one that is retired', { set: { retired } }, {}, /was retired: sensor gone/],
    ['of days in no order', {}, { from: '2026-02-01' }, /the first day is 2026-02-01, after the last, 2026-01-31/],
  ])('refuses one %s', async (_, o, request, says) => {
    const { step } = setUp(o);
    const refused = step.list({ execution: EXECUTION, request: { ...REQUEST, ...request } });
    await expect(refused).rejects.toThrow(says);
    await expect(refused).rejects.toMatchObject({ name: 'Refused' });
  });

  it('refuses a part of a set that is not in the registry', async () => {
    const { step } = setUp({ set: null });
    const item = { ...REQUEST, part: 0, asset: 'm1', run: 'r', first: 1, last: 2 };
    const { requestedBy: _by, reason: _reason, ...part } = item;
    await expect(step.part(part)).rejects.toThrow(/the registry has no feature set/);
  });

  it('has one execution for a request', async () => {
    const { registry, step, last } = setUp();
    await step.list({ execution: EXECUTION, request: REQUEST });
    registry.write('backfill', REQUEST.backfillId, last());
    await expect(step.list({ execution: { ...EXECUTION, id: 'other' }, request: REQUEST })).rejects.toMatchObject({
      name: 'Duplicate',
    });
    expect(await step.list({ execution: EXECUTION, request: REQUEST })).toEqual({
      parts: 0,
      itemsKey: backfillKeys.items('bf-1'),
    });
  });
});
