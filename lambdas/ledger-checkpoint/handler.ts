import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type Checkpoint, registryQueries } from '#core/contracts/ledger.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';

export interface Deps {
  readonly db: DynamoDBDocumentClient;
  readonly table: string;
  readonly now: () => string;
  /** ECDSA P-256 over SHA-256 of the message, DER; the key's id. */
  readonly sign: (message: Uint8Array) => Promise<{ keyId: string; signature: Uint8Array }>;
  readonly put: (key: string, body: string) => Promise<void>;
}

/**
 * Signs the heads of all chains and writes them to the evidence bucket, whose objects nobody can change: whoever holds a
 * checkpoint can show that history before it was not rewritten.
 */
export const makeHandler = (deps: Deps) => async (): Promise<Checkpoint> => {
  const heads: Checkpoint['heads'] = {};
  for (let start: Record<string, unknown> | undefined; ; ) {
    const page = await deps.db.send(
      new QueryCommand({
        TableName: deps.table,
        ...registryQueries.list('chain-head'),
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
      }),
    );
    for (const item of page.Items ?? []) heads[item['chain']] = { sequence: item['sequence'], hash: item['hash'] };
    start = page.LastEvaluatedKey;
    if (start === undefined) break;
  }
  const unsigned = { schema: 'checkpoint/1' as const, at: deps.now(), heads };
  const { keyId, signature } = await deps.sign(Buffer.from(canonicalJson(unsigned)));
  const checkpoint = { ...unsigned, keyId, signature: Buffer.from(signature).toString('base64') };
  await deps.put(`checkpoints/${checkpoint.at.slice(0, 10)}/${checkpoint.at}.json`, JSON.stringify(checkpoint));
  return checkpoint;
};
