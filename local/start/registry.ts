import { type DynamoDBDocumentClient, GetCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { type RecordClass, registryQueries } from '#core/contracts/ledger.ts';

/** What the pass reads of the registry while it waits. */
export interface RegistryView {
  /** Body of the newest version; null when there is none. */
  body(recordClass: RecordClass, id: string): Promise<Record<string, unknown> | null>;
  /** Bodies of all records of a class, newest first. */
  bodies(recordClass: RecordClass): Promise<readonly (Record<string, unknown> & { readonly id: string })[]>;
}

export const registryView = (db: DynamoDBDocumentClient, TableName: string): RegistryView => ({
  async body(recordClass, id) {
    const { Item } = await db.send(new GetCommand({ TableName, ...registryQueries.latest(recordClass, id) }));
    return (Item?.['body'] as Record<string, unknown> | undefined) ?? null;
  },
  async bodies(recordClass) {
    const found: (Record<string, unknown> & { id: string })[] = [];
    const pages = paginateQuery({ client: db }, { TableName, ...registryQueries.list(recordClass) });
    for await (const { Items } of pages)
      for (const item of Items ?? [])
        found.push({ ...(item['body'] as Record<string, unknown>), id: String(item['id']) });
    return found;
  },
});
