import type { LineageEdge, RecordClass } from '../contracts/ledger.ts';

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
export const storedRecord = (item: Readonly<Record<string, unknown>>): StoredRecord => ({
  class: item['class'] as RecordClass,
  id: item['id'] as string,
  version: item['version'] as number,
  at: item['at'] as string,
  actor: item['actor'] as string,
  bodyDigest: item['bodyDigest'] as string,
  body: item['body'] as Record<string, unknown>,
});

/** A lineage edge from an item of the table. */
export const storedEdge = ({ from, rel, to }: Readonly<Record<string, unknown>>): LineageEdge =>
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
