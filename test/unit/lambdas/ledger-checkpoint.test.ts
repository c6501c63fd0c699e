import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { canonicalJson } from '../../../core/lineage/canonical-json.ts';
import { makeHandler } from '../../../lambdas/ledger-checkpoint/handler.ts';

describe('a checkpoint', () => {
  it('holds the heads of all chains, signed, where nobody can change it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pages = [
      {
        Items: [{ chain: 'plant-a/package', sequence: 3, hash: `sha256:${'1'.repeat(64)}` }],
        LastEvaluatedKey: { pk: 'x' },
      },
      { Items: [{ chain: 'plant-a/release', sequence: 1, hash: `sha256:${'2'.repeat(64)}` }] },
    ];
    const written = new Map<string, string>();
    const handler = makeHandler({
      db: { send: async () => pages.shift() } as never,
      table: 't',
      now: () => '2026-01-01T02:03:04.000Z',
      sign: async (message) => ({ keyId: 'key-1', signature: sign('sha256', message, privateKey) }),
      put: async (key, body) => void written.set(key, body),
    });
    const { signature, keyId, ...unsigned } = await handler();
    expect(Object.keys(unsigned.heads)).toEqual(['plant-a/package', 'plant-a/release']);
    expect(keyId).toBe('key-1');
    expect(verify('sha256', Buffer.from(canonicalJson(unsigned)), publicKey, Buffer.from(signature, 'base64'))).toBe(
      true,
    );
    expect([...written.keys()]).toEqual(['checkpoints/2026-01-01/2026-01-01T02:03:04.000Z.json']);
  });
});
