import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type LineageEdge, REGISTRY_CLASS_INDEX, type RecordClass, registryKeys } from '#core/contracts/ledger.ts';
import type { RegistryReader, StoredRecord } from '#core/ports/registry.ts';

const stored = (item: Record<string, unknown>): StoredRecord => ({
  class: item['class'] as RecordClass,
  id: item['id'] as string,
  version: item['version'] as number,
  at: item['at'] as string,
  actor: item['actor'] as string,
  bodyDigest: item['bodyDigest'] as string,
  body: item['body'] as Record<string, unknown>,
});

/** The registry table, read. Needs dynamodb:GetItem and dynamodb:Query on the table and its index. */
export const dynamoRegistry = (client: DynamoDBDocumentClient, table: string): RegistryReader => {
  const query = async (
    input: Record<string, unknown>,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<Record<string, unknown>[]> => {
    const items: Record<string, unknown>[] = [];
    for (let start: Record<string, unknown> | undefined; ; ) {
      const page = await client.send(
        new QueryCommand({ TableName: table, ...input, ...(start ? { ExclusiveStartKey: start } : {}) }),
      );
      items.push(...(page.Items ?? []));
      start = page.LastEvaluatedKey;
      if (start === undefined || items.length >= limit) return items.slice(0, limit);
    }
  };
  return {
    async latest(recordClass, id) {
      const answer = await client.send(
        new GetCommand({ TableName: table, Key: registryKeys.latest(recordClass, id), ConsistentRead: true }),
      );
      return answer.Item === undefined ? null : stored(answer.Item);
    },
    async list(recordClass, { limit } = {}) {
      const items = await query(
        {
          IndexName: REGISTRY_CLASS_INDEX,
          KeyConditionExpression: 'gsi1pk = :c',
          ExpressionAttributeValues: { ':c': registryKeys.classIndex(recordClass) },
          ScanIndexForward: false,
        },
        limit,
      );
      return items.map(stored);
    },
    async edges(node, direction) {
      const items = await query({
        KeyConditionExpression: 'pk = :n AND begins_with(sk, :d)',
        ExpressionAttributeValues: { ':n': `NODE#${node}`, ':d': direction === 'out' ? 'OUT#' : 'IN#' },
      });
      return items.map((i) => ({ from: i['from'], rel: i['rel'], to: i['to'] }) as LineageEdge);
    },
  };
};
