import { type DynamoDBDocumentClient, GetCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { type LineageEdge, REGISTRY_CLASS_INDEX, registryKeys } from '#core/contracts/ledger.ts';
import type { RegistryReader, StoredRecord } from '#core/ports/registry.ts';

const FIELDS = ['class', 'id', 'version', 'at', 'actor', 'bodyDigest', 'body'] as const;
const toRecord = (item: Record<string, unknown>): StoredRecord =>
  Object.fromEntries(FIELDS.map((f) => [f, item[f]])) as unknown as StoredRecord;

/** The registry as a person with read access sees it. Needs dynamodb:GetItem and dynamodb:Query. */
export const readRegistry = (client: DynamoDBDocumentClient, TableName: string): RegistryReader => {
  const query = async (condition: string, values: Record<string, string>, more: Record<string, unknown> = {}) => {
    const { limit = Number.POSITIVE_INFINITY, ...rest } = more as { limit?: number };
    const items: Record<string, unknown>[] = [];
    for await (const page of paginateQuery(
      { client },
      { TableName, KeyConditionExpression: condition, ExpressionAttributeValues: values, ...rest },
    )) {
      items.push(...(page.Items ?? []));
      if (items.length >= limit) break;
    }
    return items.slice(0, limit);
  };
  return {
    async latest(recordClass, id) {
      const { Item } = await client.send(
        new GetCommand({ TableName, Key: registryKeys.latest(recordClass, id), ConsistentRead: true }),
      );
      return Item === undefined ? null : toRecord(Item);
    },
    async list(recordClass, { limit } = {}) {
      const items = await query(
        'gsi1pk = :c',
        { ':c': registryKeys.classIndex(recordClass) },
        { IndexName: REGISTRY_CLASS_INDEX, ScanIndexForward: false, ...(limit === undefined ? {} : { limit }) },
      );
      return items.map(toRecord);
    },
    async edges(node, direction) {
      const items = await query('pk = :n AND begins_with(sk, :d)', {
        ':n': `NODE#${node}`,
        ':d': direction === 'out' ? 'OUT#' : 'IN#',
      });
      return items.map(({ from, rel, to }) => ({ from, rel, to }) as LineageEdge);
    },
  };
};
