import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { GetCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type RegistryHistory, type RegistryReader, registryOf } from '#core/ports/registry.ts';

/** The registry table, read. Needs dynamodb:GetItem and dynamodb:Query on the table and its index. */
export const dynamoRegistry = (client: DynamoDBDocumentClient, table: string): RegistryReader & RegistryHistory =>
  registryOf({
    get: async (request) => (await client.send(new GetCommand({ TableName: table, ...request }))).Item,
    async query(request, limit = Number.POSITIVE_INFINITY) {
      const items: Record<string, unknown>[] = [];
      for (let start: Record<string, unknown> | undefined; ; ) {
        const page = await client.send(
          new QueryCommand({ TableName: table, ...request, ...(start ? { ExclusiveStartKey: start } : {}) }),
        );
        items.push(...(page.Items ?? []));
        start = page.LastEvaluatedKey;
        if (start === undefined || items.length >= limit) return items.slice(0, limit);
      }
    },
  });
