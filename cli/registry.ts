import { type DynamoDBDocumentClient, GetCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { registryQueries } from '#core/contracts/ledger.ts';
import { type RegistryHistory, type RegistryReader, storedEdge, storedRecord } from '#core/ports/registry.ts';

/** The registry as a person with read access sees it. Needs dynamodb:GetItem and dynamodb:Query. */
export const readRegistry = (client: DynamoDBDocumentClient, TableName: string): RegistryReader & RegistryHistory => {
  const query = async (input: Record<string, unknown>, limit = Number.POSITIVE_INFINITY) => {
    const items: Record<string, unknown>[] = [];
    for await (const page of paginateQuery({ client }, { TableName, ...input })) {
      items.push(...(page.Items ?? []));
      if (items.length >= limit) break;
    }
    return items.slice(0, limit);
  };
  return {
    async latest(recordClass, id) {
      const { Item } = await client.send(new GetCommand({ TableName, ...registryQueries.latest(recordClass, id) }));
      return Item === undefined ? null : storedRecord(Item);
    },
    list: async (recordClass, { limit } = {}) =>
      (await query(registryQueries.list(recordClass), limit)).map(storedRecord),
    versions: async (recordClass, id) => (await query(registryQueries.versions(recordClass, id))).map(storedRecord),
    edges: async (node, direction) => (await query(registryQueries.edges(node, direction))).map(storedEdge),
  };
};
