import fc from 'fast-check';
import type { AuditEvent } from '../../../core/contracts/ledger.ts';
import { verifyChain } from '../../../core/lineage/chain.ts';
import { groupCommands, makeHandler } from '../../../lambdas/ledger-writer/handler.ts';

type Item = Record<string, unknown>;
interface Put {
  readonly Item: Item;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, unknown>;
}

/** A table with the transactions and conditions that the writer uses. */
const memoryTable = () => {
  const items = new Map<string, Item>();
  const keyOf = (k: Item) => `${k['pk']}|${k['sk']}`;
  const holds = (put: Put): boolean => {
    const now = items.get(keyOf(put.Item));
    if (put.ConditionExpression === undefined) return true;
    if (put.ConditionExpression === 'attribute_not_exists(pk)') return now === undefined;
    return put.ConditionExpression.split(' AND ').every((term) => {
      const [name, value] = term.split(' = ') as [string, string];
      return now?.[put.ExpressionAttributeNames?.[name] ?? name] === put.ExpressionAttributeValues?.[value];
    });
  };
  let conflicts = 0;
  return {
    items,
    conflictTimes: (n: number) => {
      conflicts = n;
    },
    db: {
      async send(command: { input: { Key?: Item; TransactItems?: { Put: Put }[] } }) {
        if (command.input.Key !== undefined) return { Item: items.get(keyOf(command.input.Key)) };
        const puts = (command.input.TransactItems ?? []).map((t) => t.Put);
        if (puts.length > 100) throw new Error('too many actions');
        if (new Set(puts.map((p) => keyOf(p.Item))).size !== puts.length) throw new Error('one item twice');
        if (conflicts > 0 || !puts.every(holds)) {
          conflicts -= 1;
          throw Object.assign(new Error('cancelled'), { name: 'TransactionCanceledException' });
        }
        for (const put of puts) items.set(keyOf(put.Item), put.Item);
        return {};
      },
    },
  };
};

const command = (o: { id?: string; command?: string; body?: Item; class?: string; site?: string } & Item = {}) => ({
  schema: 'ledger-command/1',
  commandId: o.command ?? 'c1',
  site: o.site ?? 'plant-a',
  actor: 'someone',
  reason: 'because',
  record: { class: o.class ?? 'package', id: o.id ?? 'p1', body: o.body ?? { a: 1 } },
  ...('edges' in o ? { edges: o['edges'] } : {}),
  ...('expectVersion' in o ? { expectVersion: o['expectVersion'] } : {}),
  ...('announce' in o ? { announce: o['announce'] } : {}),
});

const setUp = () => {
  const table = memoryTable();
  const announced: unknown[] = [];
  const handler = makeHandler({
    db: table.db as never,
    table: 't',
    now: () => '2026-01-01T00:00:00.000Z',
    announce: async (events) => void announced.push(...events),
    backoff: async () => {},
  });
  const write = (...commands: unknown[]) => handler({ commands });
  const chain = (name: string) =>
    [...table.items.values()].filter(
      (i) => i['pk'] === `CHAIN#${name}` && i['sk'] !== 'HEAD',
    ) as unknown as AuditEvent[];
  return { ...table, handler, write, announced, chain };
};

const auditOf = (items: readonly AuditEvent[]): AuditEvent[] =>
  items.map((item) => {
    const { pk: _pk, sk: _sk, ...event } = item as AuditEvent & { pk: string; sk: string };
    return event as AuditEvent;
  });

const EDGE = { from: 'package:p1', rel: 'trained-on', to: 'snapshot:s1' };

describe('the ledger writer', () => {
  it('writes version, newest, both directions of an edge, audit event and head together', async () => {
    const { write, items } = setUp();
    await write(command({ edges: [EDGE] }));
    expect([...items.keys()].sort()).toEqual(
      [
        'CHAIN#plant-a/package|E#000000000001',
        'CHAIN#plant-a/package|HEAD',
        'CMD#c1|CMD',
        'NODE#package:p1|OUT#trained-on#snapshot:s1',
        'NODE#snapshot:s1|IN#trained-on#package:p1',
        'REC#package#p1|LATEST',
        'REC#package#p1|V#00000001',
      ].sort(),
    );
  });

  it('answers a command seen before with its first receipt and writes nothing', async () => {
    const { write, items } = setUp();
    const first = await write(command());
    const size = items.size;
    const again = await write(command({ body: { a: 2 } }));
    expect(again.receipts[0]).toEqual({ ...first.receipts[0], status: 'replayed' });
    expect(items.size).toBe(size);
  });

  it('answers unchanged when the body equals the newest', async () => {
    const { write } = setUp();
    await write(command());
    const { receipts } = await write(command({ command: 'c2' }));
    expect(receipts[0]).toMatchObject({ status: 'unchanged', version: 1 });
  });

  it('adds an edge to an unchanged record without a new version, and audits it', async () => {
    const { write, chain } = setUp();
    await write(command());
    const { receipts } = await write(command({ command: 'c2', edges: [EDGE] }));
    expect(receipts[0]).toMatchObject({ status: 'committed', version: 1, sequence: 2 });
    expect(chain('plant-a/package')[1]?.edges).toEqual([EDGE]);
  });

  it('keeps every version of a record', async () => {
    const { write, items } = setUp();
    await write(command());
    await write(command({ command: 'c2', body: { a: 2 } }));
    expect(items.get('REC#package#p1|V#00000001')?.['body']).toEqual({ a: 1 });
    expect(items.get('REC#package#p1|LATEST')?.['body']).toEqual({ a: 2 });
  });

  it('refuses a lost update and writes nothing', async () => {
    const { write, items } = setUp();
    await write(command());
    const size = items.size;
    await expect(write(command({ command: 'c2', body: { a: 2 }, expectVersion: 0 }))).rejects.toThrow(
      /package p1: expected version 0, found 1/,
    );
    expect(items.size).toBe(size);
  });

  it('tries again after a lost race', async () => {
    const { write, conflictTimes } = setUp();
    conflictTimes(3);
    expect((await write(command())).receipts[0]).toMatchObject({ status: 'committed' });
  });

  it('gives up by name after 20 lost races', async () => {
    const { write, conflictTimes } = setUp();
    conflictTimes(20);
    await expect(write(command())).rejects.toMatchObject({ name: 'TryAgain' });
  });

  it('does not try again what is no race', async () => {
    const { handler } = setUp();
    await expect(handler({ commands: [{}] })).rejects.toThrow(/ledger request does not match its contract/);
  });

  it('announces after the commit, and again when the command is repeated', async () => {
    const { write, announced } = setUp();
    const announce = {
      type: 'Quarantined',
      detail: { site: 'plant-a', key: 'k', reason: 'r', records: 1 },
    };
    await write(command({ announce }));
    await write(command({ announce }));
    expect(announced).toEqual([announce, announce]);
  });

  it('announces several events of one command, in order', async () => {
    const { write, announced } = setUp();
    const of = (key: string) => ({ type: 'Quarantined', detail: { site: 'plant-a', key, reason: 'r', records: 1 } });
    await write(command({ announce: [of('k1'), of('k2')] }));
    expect(announced).toEqual([of('k1'), of('k2')]);
  });

  it('refuses an announcement that is not in the catalogue, before anything is written', async () => {
    const { write, items } = setUp();
    await expect(write(command({ announce: { type: 'Hooray', detail: {} } }))).rejects.toThrow(
      /"Hooray", which is not in the catalogue/,
    );
    expect(items.size).toBe(0);
  });

  it('refuses an announcement whose detail breaks its contract', async () => {
    const { write } = setUp();
    await expect(write(command({ announce: { type: 'Quarantined', detail: { site: 'plant-a' } } }))).rejects.toThrow(
      /announcement Quarantined/,
    );
  });

  it('commits commands of one chain in one group and never more than 100 actions', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ site: fc.constantFrom('a', 'b'), id: fc.constantFrom('x', 'y', 'z'), edges: fc.nat(20) }),
          {
            maxLength: 60,
          },
        ),
        (list) => {
          const commands = list.map((c, i) => ({
            ...command({ command: `c${i}`, id: c.id, site: c.site }),
            edges: Array.from({ length: c.edges }, (_, k) => ({
              from: `package:${i}`,
              rel: 'used',
              to: `snapshot:${k}`,
            })),
          })) as never[];
          const groups = groupCommands(commands);
          expect(groups.flat()).toEqual(commands);
          for (const group of groups) {
            expect(new Set(group.map((c) => c.site)).size).toBe(1);
            expect(new Set(group.map((c) => c.record.id)).size).toBe(group.length);
            expect(1 + group.reduce((n, c) => n + 4 + 2 * c.edges.length, 0)).toBeLessThanOrEqual(100);
          }
        },
      ),
    );
  });

  it('keeps each chain whole, whatever it is told in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            site: fc.constantFrom('a', 'b'),
            id: fc.constantFrom('x', 'y'),
            body: fc.nat(3),
            command: fc.nat(8),
          }),
          { minLength: 1, maxLength: 25 },
        ),
        async (list) => {
          const { write, chain } = setUp();
          for (const c of list)
            await write(command({ site: c.site, id: c.id, body: { n: c.body }, command: `c${c.command}` }));
          for (const site of ['a', 'b']) expect(verifyChain(auditOf(chain(`${site}/package`)))).toEqual({ ok: true });
        },
      ),
      { numRuns: 50 },
    );
  });
});
