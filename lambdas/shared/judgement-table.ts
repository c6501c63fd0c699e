import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';

/** Key of an item of the judgement table (`judgementKeys` in core/contracts/judgement.ts). */
export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}
export type Item = ItemKey & Readonly<Record<string, unknown>>;
/** An item to write, with the version it was read at (0 = it was not there); null writes whatever is there. */
export interface Write {
  readonly item: Item;
  readonly readAt: number | null;
}

/** What judging keeps between messages. Reads are consistent; an item that is written by version has `version`. */
export interface JudgementTable {
  get(key: ItemKey): Promise<Item | null>;
  /** All items of a partition whose sort key begins with `prefix`, in order. */
  list(pk: string, prefix: string): Promise<readonly Item[]>;
  /** The first item of a partition whose sort key is `sk` or later; null when there is none. */
  next(pk: string, sk: string): Promise<Item | null>;
  put(item: Item): Promise<void>;
  /** All or nothing, 100 at most. @returns false when an item has another version: someone wrote in between. */
  putAll(writes: readonly Write[]): Promise<boolean>;
}

export const versionOf = (item: Item | null): number => (item?.['version'] as number | undefined) ?? 0;

const LOST = ['TransactionCanceledException', 'TransactionConflictException', 'TransactionInProgressException'];
const OVERTAKEN = ['None', 'ConditionalCheckFailed', 'TransactionConflict'];

/** Of a transaction that was cancelled: by someone who wrote in between, and not for its size or a full table. */
const isLost = (error: Error & { readonly CancellationReasons?: readonly { readonly Code?: string }[] }): boolean =>
  LOST.includes(error.name) && (error.CancellationReasons ?? []).every((r) => OVERTAKEN.includes(r.Code ?? 'None'));

/** Needs dynamodb:GetItem, PutItem and Query on the table. */
export const dynamoJudgement = (client: DynamoDBDocumentClient, table: string): JudgementTable => {
  const query = async (condition: string, pk: string, sk: string, limit?: number): Promise<Item[]> => {
    const items: Item[] = [];
    for (let start: Record<string, unknown> | undefined; ; ) {
      const page = await client.send(
        new QueryCommand({
          TableName: table,
          KeyConditionExpression: `pk = :p AND ${condition}`,
          ExpressionAttributeValues: { ':p': pk, ':s': sk },
          ConsistentRead: true,
          ...(limit === undefined ? {} : { Limit: limit }),
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      items.push(...((page.Items ?? []) as Item[]));
      start = page.LastEvaluatedKey;
      if (start === undefined || items.length >= (limit ?? Number.POSITIVE_INFINITY)) return items;
    }
  };
  return {
    async get({ pk, sk }) {
      const answer = await client.send(new GetCommand({ TableName: table, Key: { pk, sk }, ConsistentRead: true }));
      return (answer.Item as Item | undefined) ?? null;
    },
    list: (pk, prefix) => query('begins_with(sk, :s)', pk, prefix),
    next: async (pk, sk) => (await query('sk >= :s', pk, sk, 1))[0] ?? null,
    async put(item) {
      await client.send(new PutCommand({ TableName: table, Item: item }));
    },
    async putAll(writes) {
      try {
        await client.send(
          new TransactWriteCommand({
            TransactItems: writes.map(({ item, readAt }) => ({
              Put: {
                TableName: table,
                Item: readAt === null ? item : { ...item, version: readAt + 1 },
                ...(readAt === null
                  ? {}
                  : readAt === 0
                    ? { ConditionExpression: 'attribute_not_exists(pk)' }
                    : {
                        ConditionExpression: '#v = :v',
                        ExpressionAttributeNames: { '#v': 'version' },
                        ExpressionAttributeValues: { ':v': readAt },
                      }),
              },
            })),
          }),
        );
        return true;
      } catch (error) {
        if (isLost(error as Error)) return false;
        throw error;
      }
    },
  };
};
