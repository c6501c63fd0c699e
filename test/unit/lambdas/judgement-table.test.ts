import { dynamoJudgement, versionOf } from '../../../lambdas/shared/judgement-table.ts';
import { syncRecord } from '../../../lambdas/shared/sync-record.ts';
import { untilUndisturbed } from '../../../lambdas/shared/undisturbed.ts';
import { memoryJudgement, memoryRegistryWithLedger } from '../../support/memory-judging.ts';

const failing = (name: string) =>
  dynamoJudgement({ send: async () => Promise.reject(Object.assign(new Error(name), { name })) } as never, 't');

describe('the judgement table', () => {
  const key = { pk: 'ASSET#a', sk: 'UNIT#1' };
  it('writes all or nothing, and only what nobody changed since it was read', async () => {
    const { judgement } = memoryJudgement();
    expect(await judgement.putAll([{ item: { ...key, n: 1 }, readAt: 0 }])).toBe(true);
    const stale = [
      { item: { ...key, n: 2 }, readAt: 0 },
      { item: { pk: 'ASSET#a', sk: 'UNIT#2' }, readAt: null },
    ];
    expect(await judgement.putAll(stale)).toBe(false);
    expect(await judgement.list('ASSET#a', 'UNIT#')).toEqual([{ ...key, n: 1, version: 1 }]);
    expect(await judgement.putAll([{ item: { ...key, n: 2 }, readAt: versionOf(await judgement.get(key)) }])).toBe(
      true,
    );
    expect(await judgement.get(key)).toEqual({ ...key, n: 2, version: 2 });
  });
  it('finds the item at a place or the next one after it', async () => {
    const { judgement } = memoryJudgement();
    await judgement.put({ pk: 'OBJECT#a', sk: '000000000010' });
    await judgement.put({ pk: 'OBJECT#b', sk: '000000000099' });
    expect((await judgement.next('OBJECT#a', '000000000003'))?.sk).toBe('000000000010');
    expect(await judgement.next('OBJECT#a', '000000000011')).toBeNull();
  });
  it('reads every page of a partition', async () => {
    const pages = [{ Items: [{ sk: 'a' }], LastEvaluatedKey: { sk: 'a' } }, { Items: [{ sk: 'b' }] }];
    const sent: unknown[] = [];
    const client = {
      send: async (command: { input: unknown }) => {
        sent.push(command.input);
        return pages[sent.length - 1];
      },
    };
    expect(await dynamoJudgement(client as never, 't').list('p', 's')).toEqual([{ sk: 'a' }, { sk: 'b' }]);
    expect(sent[1]).toMatchObject({ ExclusiveStartKey: { sk: 'a' }, ConsistentRead: true });
  });
  it.each(['TransactionCanceledException', 'TransactionConflictException', 'TransactionInProgressException'])(
    'takes %s for someone who wrote in between',
    async (name) => expect(await failing(name).putAll([{ item: key, readAt: 0 }])).toBe(false),
  );
  it.each([
    ['ConditionalCheckFailed', false],
    ['TransactionConflict', false],
    ['ValidationError', true],
    ['ThrottlingError', true],
  ])('of a transaction that was cancelled looks at why: %s', async (Code, throws) => {
    const error = Object.assign(new Error(Code), {
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code }],
    });
    const table = dynamoJudgement({ send: async () => Promise.reject(error) } as never, 't');
    const write = table.putAll([{ item: key, readAt: 0 }]);
    if (throws) await expect(write).rejects.toThrow(Code);
    else expect(await write).toBe(false);
  });
  it('passes on every other refusal', async () => {
    await expect(failing('ThrottlingException').putAll([{ item: key, readAt: 0 }])).rejects.toThrow(
      'ThrottlingException',
    );
  });
});

describe('trying until nobody writes in between', () => {
  it('gives up after 12 tries, naming what it was about', async () => {
    let tries = 0;
    await expect(
      untilUndisturbed('unit m1/r1', async () => {
        tries++;
        return null;
      }),
    ).rejects.toThrow('unit m1/r1: 12 tries were overtaken by other writers; the message is tried again later');
    expect(tries).toBe(12);
  });
});

describe('bringing a record to what it should be', () => {
  const of = { site: 'plant-a', actor: 'lambda:test', class: 'judgement', id: 'outcome/x' } as const;
  const content = (loss: number) => ({ reason: 'r', edges: [], body: { loss } });
  it('writes it once, and nothing while it is so', async () => {
    const { ledger, registry, versions } = memoryRegistryWithLedger();
    const deps = { ledger, registry };
    expect(await syncRecord(deps, of, async () => content(1))).toBe('written');
    expect(await syncRecord(deps, of, async () => content(1))).toBe('unchanged');
    expect(await syncRecord(deps, of, async () => null)).toBe('unchanged');
    expect(await syncRecord(deps, of, async () => content(2))).toBe('written');
    expect(await syncRecord(deps, of, async () => content(1))).toBe('written');
    expect(versions('judgement', 'outcome/x').map((v) => v.body['loss'])).toEqual([1, 2, 1]);
  });
  it('leaves the newest content there when a slower worker writes after a faster one', async () => {
    const { ledger, registry, versions } = memoryRegistryWithLedger();
    let truth = 1;
    const slow = syncRecord({ ledger, registry }, of, async () => {
      const read = content(truth);
      if (truth === 1) {
        truth = 2;
        await syncRecord({ ledger, registry }, of, async () => content(truth));
      }
      return read;
    });
    await slow;
    expect(versions('judgement', 'outcome/x').at(-1)?.body).toEqual({ loss: 2 });
  });
  it('passes on what else the ledger says against it', async () => {
    const { registry } = memoryRegistryWithLedger();
    const ledger = { write: async () => Promise.reject(new Error('away')) };
    await expect(syncRecord({ ledger, registry }, of, async () => content(1))).rejects.toThrow('away');
  });
});
