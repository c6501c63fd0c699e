import { type LineageEdge, type RecordClass, registryQueries } from '../contracts/ledger.ts';

/** A record version as the registry keeps it. */
export interface StoredRecord {
  readonly class: RecordClass;
  readonly id: string;
  readonly version: number;
  readonly at: string;
  readonly actor: string;
  readonly bodyDigest: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A record version from an item of the table. */
const storedRecord = (item: Readonly<Record<string, unknown>>): StoredRecord => ({
  class: item['class'] as RecordClass,
  id: item['id'] as string,
  version: item['version'] as number,
  at: item['at'] as string,
  actor: item['actor'] as string,
  bodyDigest: item['bodyDigest'] as string,
  body: item['body'] as Record<string, unknown>,
});

/** A lineage edge from an item of the table. */
const storedEdge = ({ from, rel, to }: Readonly<Record<string, unknown>>): LineageEdge =>
  ({ from, rel, to }) as LineageEdge;

/** Reads the registry; nobody but the ledger writer writes it. */
export interface RegistryReader {
  /** Newest version of a record; null when there is none. */
  latest(recordClass: RecordClass, id: string): Promise<StoredRecord | null>;
  /** Newest versions of all records of a class, newest first. */
  list(recordClass: RecordClass, options?: { readonly limit?: number }): Promise<readonly StoredRecord[]>;
  /** Edges that leave a node (what it was made from) or arrive at it (what was made from it). */
  edges(node: string, direction: 'out' | 'in'): Promise<readonly LineageEdge[]>;
}

/** Reads what records were before. */
export interface RegistryHistory {
  /** Every version of a record, the first one first; none when there is no such record. */
  versions(recordClass: RecordClass, id: string): Promise<readonly StoredRecord[]>;
}

/** How an SDK reads the registry's table; requests are those of `registryQueries`, without the name of the table. */
export interface RegistryTable {
  /** Undefined when there is no such item. */
  get(request: ReturnType<typeof registryQueries.latest>): Promise<Readonly<Record<string, unknown>> | undefined>;
  /** Items of all pages, or the first `limit` of them. */
  query(
    request: Readonly<Record<string, unknown>>,
    limit?: number,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** The registry in its table. */
export const registryOf = ({ get, query }: RegistryTable): RegistryReader & RegistryHistory => ({
  async latest(recordClass, id) {
    const item = await get(registryQueries.latest(recordClass, id));
    return item === undefined ? null : storedRecord(item);
  },
  list: async (recordClass, { limit } = {}) =>
    (await query(registryQueries.list(recordClass), limit)).map(storedRecord),
  versions: async (recordClass, id) => (await query(registryQueries.versions(recordClass, id))).map(storedRecord),
  edges: async (node, direction) => (await query(registryQueries.edges(node, direction))).map(storedEdge),
});
