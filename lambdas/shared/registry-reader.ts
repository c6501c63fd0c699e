import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { registryQueries } from '#core/contracts/ledger.ts';
import { type RegistryHistory, type RegistryReader, storedEdge, storedRecord } from '#core/ports/registry.ts';

/** The registry table, read. Needs dynamodb:GetItem and dynamodb:Query on the table and its index. */
export const dynamoRegistry = (client: DynamoDBDocumentClient, table: string): RegistryReader & RegistryHistory => {
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
      const { Item } = await client.send(
        new GetCommand({ TableName: table, ...registryQueries.latest(recordClass, id) }),
      );
      return Item === undefined ? null : storedRecord(Item);
    },
    list: async (recordClass, { limit } = {}) =>
      (await query(registryQueries.list(recordClass), limit)).map(storedRecord),
    versions: async (recordClass, id) => (await query(registryQueries.versions(recordClass, id))).map(storedRecord),
    edges: async (node, direction) => (await query(registryQueries.edges(node, direction))).map(storedEdge),
  };
};
