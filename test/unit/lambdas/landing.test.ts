import fc from 'fast-check';
import { makeHandler } from '../../../lambdas/batch-writer/handler.ts';
import { dynamoLanding } from '../../../lambdas/shared/landing-table.ts';
import { memoryLedger, memoryLog, memoryStore, registryOf, sqsEvent } from '../../support/fakes.ts';
import { rowsUnder } from '../../support/lake-rows.ts';
import { memoryLanding, observations, published } from '../../support/memory-landing.ts';

class Crash extends Error {}

const LEASE_MS = 75_000;

type Fault = { readonly at: number; readonly when: 'before' | 'after' | 'lost' } | null;

/** A writer that may die at any call, before or after it had its effect, and whose answers may get lost, so that its client asks again. */
const disturbed = (fault: Fault) => {
  let calls = 0;
  let dead = false;
  const wrap =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (dead) throw new Crash();
      const hit = fault !== null && calls++ === fault.at ? fault.when : null;
      dead = dead || hit === 'before';
      if (dead) throw new Crash();
      const answer = await call(...args);
      dead = hit === 'after';
      if (dead) throw new Crash();
      return hit === 'lost' ? call(...args) : answer;
    };
  return { wrap, isDead: () => dead };
};

const world = () => {
  const lake = memoryStore();
  const landing = memoryLanding();
  const clock = { ms: Date.UTC(2026, 0, 2) };
  let batches = 0;
  return {
    lake,
    clock,
    /** Runs a writer on messages. @returns those that are not acknowledged and come again. */
    run: async (sequences: readonly number[], fault: Fault): Promise<readonly number[]> => {
      const { wrap, isDead } = disturbed(fault);
      const handler = makeHandler({
        lake: { ...lake, put: wrap(lake.put), list: wrap(lake.list), get: wrap(lake.get) },
        landing: { claim: wrap(landing.claim), takeOver: wrap(landing.takeOver) },
        registry: registryOf([]),
        ledger: memoryLedger(),
        stage: 'local',
        log: memoryLog(),
        now: () => new Date(clock.ms).toISOString(),
        newBatch: () => `batch-${++batches}`,
        leaseMs: LEASE_MS,
      });
      const { batchItemFailures } = await handler(sqsEvent(...sequences.map((n) => published(observations(n)))));
      // A process that died gave no answer, whatever its code went on to do.
      if (isDead()) return sequences;
      return batchItemFailures.map((f) => sequences[Number(f.itemIdentifier.slice(1))] as number);
    },
  };
};

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constant(null),
  fc.record({ at: fc.nat(12), when: fc.constantFrom('before' as const, 'after' as const, 'lost' as const) }),
);
/** Writers that run at once, each on some of the messages; then time passes. */
const step = fc.record({
  writers: fc.array(fc.record({ picks: fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), fault }), {
    minLength: 1,
    maxLength: 3,
  }),
  again: fc.boolean(),
  waitMs: fc.constantFrom(0, 1000, LEASE_MS / 2, LEASE_MS + 1, 3_600_000),
});

describe('landing', () => {
  it('lands every message exactly once, whenever writers die and however messages are repeated, regrouped and reordered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 15 }), async (count, steps) => {
        const { lake, clock, run } = world();
        const all = Array.from({ length: count }, (_, i) => i + 1);
        let waiting: readonly number[] = all;
        for (const { writers, again, waitMs } of steps) {
          // A queue delivers in any order, one message to several at times, and again what was acknowledged.
          const pool = again || waiting.length === 0 ? all : waiting;
          const batches = writers.map((w) => w.picks.map((p) => pool[p % pool.length] as number));
          const failed = await Promise.all(batches.map((batch, i) => run(batch, writers[i]?.fault ?? null)));
          waiting = [...new Set([...waiting.filter((n) => !batches.flat().includes(n)), ...failed.flat()])];
          clock.ms += waitMs;
        }
        for (let tries = 0; waiting.length > 0 && tries < 10; tries++) {
          clock.ms += LEASE_MS + 1;
          waiting = await run(waiting, null);
        }
        const rows = await rowsUnder(lake, 'observations', 'curated/observations/tier=hot/');
        expect(waiting).toEqual([]);
        expect(rows.map((r) => r.sequence).sort()).toEqual(all);
      }),
      { numRuns: 120 },
    );
  });
});

describe('claims in DynamoDB', () => {
  const claim = { key: 'k', content: 'c', leaseUntil: 1000 };
  const refusing = (error: object) =>
    ({ send: async () => Promise.reject(Object.assign(new Error('no'), error)) }) as never;

  it('are told with the claim that stands', async () => {
    const Item = { key: { S: 'other' }, content: { S: 'd' }, leaseUntil: { N: '77' } };
    const table = dynamoLanding(refusing({ name: 'ConditionalCheckFailedException', Item }), 't');
    expect(await table.claim('a/b', claim)).toEqual({ key: 'other', content: 'd', leaseUntil: 77 });
    expect(await table.takeOver('a/b', claim, claim)).toEqual({ key: 'other', content: 'd', leaseUntil: 77 });
  });

  it.each([{ name: 'ThrottlingException' }, { name: 'ConditionalCheckFailedException' }])(
    'fail when nobody can say who holds them: %j',
    async (error) => {
      await expect(dynamoLanding(refusing(error), 't').claim('a/b', claim)).rejects.toThrow('no');
    },
  );

  it('are forgotten four months after their lease', async () => {
    const sent: { input: { Item: Record<string, unknown> } }[] = [];
    const client = { send: async (command: never) => void sent.push(command) } as never;
    expect(await dynamoLanding(client, 't').claim('observations/s/d/b/17', claim)).toBeNull();
    expect(sent[0]?.input.Item).toMatchObject({ pk: 'observations/s/d/b', sk: '17', expires: 1 + 120 * 86_400 });
  });
});
