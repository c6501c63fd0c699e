import { LAKE_TABLES, type LakeColumnType, type LakeRow, type LakeTableName } from '#core/contracts/lake-tables.ts';
import { type Column, readParquet, writeParquet } from '#core/lake/parquet.ts';

const TYPES = {
  string: 'string',
  bigint: 'integer',
  double: 'double',
  boolean: 'boolean',
  'array<bigint>': 'list<integer>',
  'array<double>': 'list<double>',
} as const satisfies Record<LakeColumnType, Column['type']>;

const columnsOf = (table: LakeTableName): [string, LakeColumnType][] => Object.entries(LAKE_TABLES[table].columns);

/** A Parquet file of a table: its columns in its order, whatever the order of the rows' keys. */
export const rowsToParquet = <N extends LakeTableName>(table: N, rows: readonly LakeRow<N>[]): Uint8Array =>
  writeParquet(
    columnsOf(table).map(
      ([name, type]) =>
        ({ name, type: TYPES[type], data: rows.map((row) => (row as Record<string, unknown>)[name]) }) as Column,
    ),
  );

/**
 * Rows of a Parquet file of a table. A column that the file lacks, for it was added to the table later, is null (an
 * empty list where it holds lists); one that the table lacks is left out.
 */
export const rowsFromParquet = async <N extends LakeTableName>(table: N, bytes: Uint8Array): Promise<LakeRow<N>[]> => {
  const columns = columnsOf(table);
  const rows = await readParquet(bytes);
  return rows.map(
    (row) =>
      Object.fromEntries(
        columns.map(([name, type]) => [name, row[name] ?? (type.startsWith('array') ? [] : null)]),
      ) as LakeRow<N>,
  );
};
