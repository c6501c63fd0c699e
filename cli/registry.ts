import { type DynamoDBDocumentClient, GetCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { type RegistryHistory, type RegistryReader, registryOf } from '#core/ports/registry.ts';

/** The registry as a person with read access sees it. Needs dynamodb:GetItem and dynamodb:Query. */
export const readRegistry = (client: DynamoDBDocumentClient, TableName: string): RegistryReader & RegistryHistory =>
  registryOf({
    get: async (request) => (await client.send(new GetCommand({ TableName, ...request }))).Item,
    async query(request, limit = Number.POSITIVE_INFINITY) {
      const items: Record<string, unknown>[] = [];
      for await (const page of paginateQuery({ client }, { TableName, ...request })) {
        items.push(...(page.Items ?? []));
        if (items.length >= limit) break;
      }
      return items.slice(0, limit);
    },
  });
