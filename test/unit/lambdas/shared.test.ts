import fc from 'fast-check';
import { readParquet, writeParquet } from '#core/lake/parquet.ts';
import { announceOn } from '../../../lambdas/shared/bus.ts';
import { readEnv } from '../../../lambdas/shared/env.ts';
import { lambdaLedger, writeAll } from '../../../lambdas/shared/ledger-client.ts';
import { getJson, s3Store } from '../../../lambdas/shared/object-store.ts';
import { memoryLedger, memoryStore } from '../../support/fakes.ts';

const PLANES = JSON.stringify(
  Object.fromEntries(
    ['governance', 'data', 'ml', 'plant', 'access'].map((p) => [p, { account: '111111111111', region: 'eu-west-1' }]),
  ),
);
const command = (id: string) => ({
  schema: 'ledger-command/1' as const,
  commandId: id,
  site: 'plant-a',
  actor: 'a',
  reason: 'r',
  record: { class: 'package' as const, id, body: {} },
});

describe('the environment of a function', () => {
  it('gives every name', () => {
    expect(readEnv({ MILLWRIGHT_STAGE: 'prod', MILLWRIGHT_PLANES: PLANES }).names.registry.name).toBe(
      'mw-prod-registry',
    );
  });
  it('is refused by the variable that is missing', () => {
    expect(() => readEnv({ MILLWRIGHT_PLANES: PLANES })).toThrow(/MILLWRIGHT_STAGE/);
  });
  it('is refused when planes are no JSON', () => {
    expect(() => readEnv({ MILLWRIGHT_STAGE: 'prod', MILLWRIGHT_PLANES: '{' })).toThrow(
      /MILLWRIGHT_PLANES: expected JSON/,
    );
  });
});

describe('the ledger client', () => {
  const client = (payload: unknown, FunctionError?: string) =>
    ({ send: async () => ({ Payload: Buffer.from(JSON.stringify(payload)), FunctionError }) }) as never;
  it('throws what the writer threw, by its name', async () => {
    const ledger = lambdaLedger(client({ errorType: 'VersionConflict', errorMessage: 'no' }, 'Unhandled'), 'arn');
    await expect(ledger.write([command('c')])).rejects.toMatchObject({ name: 'VersionConflict', message: 'no' });
  });
  it('throws when the writer failed without saying why', async () => {
    await expect(lambdaLedger(client(null, 'Unhandled'), 'arn').write([command('c')])).rejects.toThrow(
      /the ledger writer failed: Unhandled/,
    );
  });
  it('sends the same commands again to a writer that was killed', async () => {
    const sent: string[] = [];
    const answers = [{ errorType: 'Runtime.ExitError', errorMessage: 'killed' }, { receipts: [] }];
    const killedOnce = {
      send: async (asked: { input: { Payload: Uint8Array } }) => {
        sent.push(Buffer.from(asked.input.Payload).toString());
        const answer = answers[sent.length - 1] as object;
        return {
          Payload: Buffer.from(JSON.stringify(answer)),
          ...('errorType' in answer ? { FunctionError: 'Unhandled' } : {}),
        };
      },
    } as never;
    expect(await lambdaLedger(killedOnce, 'arn').write([command('c')])).toEqual([]);
    expect(sent).toHaveLength(2);
    expect(sent[1]).toBe(sent[0]);
  });
  it('refuses an answer that is no receipt', async () => {
    await expect(lambdaLedger(client({ receipts: [{}] }), 'arn').write([command('c')])).rejects.toThrow(
      /answer of the ledger writer/,
    );
  });
  it('writes many commands in order', async () => {
    const ledger = memoryLedger();
    const ids = Array.from({ length: 60 }, (_, i) => `c${i}`);
    await writeAll(ledger, ids.map(command));
    expect(ledger.commands.map((c) => c.commandId)).toEqual(ids);
  });
});

describe('the bus', () => {
  it('is not silent when it refuses an event', async () => {
    const client = { send: async () => ({ Entries: [{ ErrorCode: 'NotAuthorized', ErrorMessage: 'no' }] }) } as never;
    await expect(announceOn(client, 'arn')([{ type: 'T', detail: {} }])).rejects.toThrow(
      /refused an event: NotAuthorized/,
    );
  });
});

describe('objects', () => {
  it('that are no JSON are refused by name', async () => {
    const store = memoryStore();
    await store.put('k', Buffer.from('{'));
    await expect(getJson(store, 'k')).rejects.toThrow(/s3:\/\/bucket\/k is not JSON/);
  });
  const failing = (name: string) =>
    s3Store({ send: async () => Promise.reject(Object.assign(new Error('x'), { name })) } as never, 'b');
  it('that do not exist are named', async () => {
    await expect(failing('NoSuchKey').get('k', 'v1')).rejects.toThrow('s3://b/k does not exist at version v1');
    expect(await failing('NoSuchKey').find('k')).toBeNull();
  });
  it('that may not be read fail as S3 says', async () => {
    await expect(failing('AccessDenied').get('k')).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(failing('AccessDenied').find('k')).rejects.toMatchObject({ name: 'AccessDenied' });
  });
  const ofPrefix = (keys: readonly string[]) =>
    s3Store(
      {
        send: async (command: { constructor: { name: string } }) =>
          command.constructor.name === 'ListObjectsV2Command'
            ? { Contents: keys.map((Key) => ({ Key })) }
            : Promise.reject(Object.assign(new Error('x'), { name: 'AccessDenied' })),
      } as never,
      'b',
    );
  it('that do not exist are absent too where only a prefix may be listed, and S3 says that they are denied', async () => {
    expect(await ofPrefix([]).find('k')).toBeNull();
    expect(await ofPrefix(['k/other']).find('k')).toBeNull();
  });
  it('that exist and are denied are not taken for absent', async () => {
    await expect(ofPrefix(['k']).find('k')).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('Parquet', () => {
  it('gives back what was written', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            s: fc.option(fc.string()),
            n: fc.option(fc.maxSafeInteger()),
            d: fc.option(fc.double({ noNaN: true })),
            l: fc.array(fc.double({ noNaN: true }), { maxLength: 4 }),
          }),
          { minLength: 1, maxLength: 20 },
        ),
        async (rows) => {
          const bytes = writeParquet([
            { name: 's', type: 'string', data: rows.map((r) => r.s) },
            { name: 'n', type: 'integer', data: rows.map((r) => r.n) },
            { name: 'd', type: 'double', data: rows.map((r) => r.d) },
            { name: 'l', type: 'list<double>', data: rows.map((r) => r.l) },
          ]);
          const read = await readParquet(bytes);
          expect(read.map((r) => ({ s: r['s'] ?? null, n: r['n'] ?? null, d: r['d'] ?? null, l: r['l'] }))).toEqual(
            rows,
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});
