import { parquetMetadata, parquetRead, parquetReadObjects } from 'hyparquet';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';

/** A column; null where a row has no value. Integers are 64 bit. */
export type Column =
  | { readonly name: string; readonly type: 'string'; readonly data: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'integer' | 'double'; readonly data: readonly (number | null)[] }
  | { readonly name: string; readonly type: 'boolean'; readonly data: readonly (boolean | null)[] }
  | {
      readonly name: string;
      readonly type: 'list<integer>' | 'list<double>';
      readonly data: readonly (readonly number[])[];
    };

const ELEMENTS = {
  string: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT64' },
  double: { type: 'DOUBLE' },
  boolean: { type: 'BOOLEAN' },
} as const;

type SchemaElement = NonNullable<Parameters<typeof parquetWrite>[0]['schema']>[number];

const schemaOf = ({ name, type }: Column): SchemaElement[] => {
  if (type === 'list<integer>' || type === 'list<double>')
    return [
      { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'REQUIRED', ...ELEMENTS[type === 'list<double>' ? 'double' : 'integer'] },
    ];
  return [{ name, repetition_type: 'OPTIONAL', ...ELEMENTS[type] }];
};

const dataOf = ({ type, data }: Column): unknown[] => {
  if (type === 'integer') return data.map((v) => (v === null ? null : BigInt(v)));
  if (type === 'list<integer>') return data.map((list) => list.map(BigInt));
  return [...data];
};

/** Parquet bytes of columns, Snappy; the same columns give the same bytes. */
export const writeParquet = (columns: readonly Column[]): Uint8Array => {
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    columnData: columns.map((c) => ({ name: c.name, data: dataOf(c) })),
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaOf)],
  });
  return new Uint8Array(writer.getBuffer());
};

const fileOf = (bytes: Uint8Array): ArrayBuffer =>
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;

/** How many rows a Parquet file says it has. */
export const countRows = (bytes: Uint8Array): number => Number(parquetMetadata(fileOf(bytes)).num_rows);

/** Rows of a Parquet file as objects; integers as numbers. */
export const readParquet = async (bytes: Uint8Array): Promise<Record<string, unknown>[]> => {
  const plain = (value: unknown): unknown =>
    typeof value === 'bigint' ? Number(value) : Array.isArray(value) ? value.map(plain) : value;
  const rows = await parquetReadObjects({ file: fileOf(bytes) });
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([k, v]) => [k, plain(v)])));
};

/** Columns of a Parquet file by name; integers are bigint. */
export const readColumns = async <N extends string>(
  bytes: Uint8Array,
  names: readonly N[],
): Promise<Readonly<Record<N, readonly unknown[]>>> => {
  const chunks = Object.fromEntries(names.map((n) => [n, []])) as unknown as Record<N, ArrayLike<unknown>[]>;
  await parquetRead({
    file: fileOf(bytes),
    columns: [...names],
    onChunk: ({ columnName, columnData }) => chunks[columnName as N].push(columnData),
  });
  return Object.fromEntries(names.map((n) => [n, chunks[n].flatMap((c) => Array.from(c))])) as unknown as Readonly<
    Record<N, readonly unknown[]>
  >;
};
