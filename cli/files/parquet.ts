import { parquetRead } from 'hyparquet';
import { ByteWriter, parquetWrite } from 'hyparquet-writer';

/** A column of a file; null where a row has no value. */
export type ParquetColumn =
  | { readonly name: string; readonly type: 'string'; readonly data: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'double' | 'integer'; readonly data: readonly (number | null)[] }
  | { readonly name: string; readonly type: 'list'; readonly data: readonly (readonly number[])[] };

type SchemaElement = NonNullable<Parameters<typeof parquetWrite>[0]['schema']>[number];

const schemaOf = ({ name, type }: ParquetColumn): SchemaElement[] => {
  switch (type) {
    case 'list':
      return [
        { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST' },
        { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
        { name: 'element', repetition_type: 'REQUIRED', type: 'DOUBLE' },
      ];
    case 'string':
      return [{ name, repetition_type: 'OPTIONAL', type: 'BYTE_ARRAY', converted_type: 'UTF8' }];
    case 'integer':
      return [{ name, repetition_type: 'OPTIONAL', type: 'INT64' }];
    case 'double':
      return [{ name, repetition_type: 'OPTIONAL', type: 'DOUBLE' }];
  }
};

/** Parquet bytes of columns, Snappy; lists are of doubles. The same columns give the same bytes. */
export const parquetOf = (columns: readonly ParquetColumn[]): Uint8Array => {
  const writer = new ByteWriter();
  parquetWrite({
    writer,
    columnData: columns.map(({ name, type, data }) => ({
      name,
      data: type === 'integer' ? data.map((v) => (v === null ? null : BigInt(v))) : [...data],
    })),
    schema: [{ name: 'root', num_children: columns.length }, ...columns.flatMap(schemaOf)],
  });
  return new Uint8Array(writer.getBuffer());
};

/** Columns of a Parquet file by name; integers are bigint. */
export const columnsOfParquet = async <N extends string>(
  bytes: Uint8Array,
  names: readonly N[],
): Promise<Readonly<Record<N, readonly unknown[]>>> => {
  const chunks = Object.fromEntries(names.map((n) => [n, []])) as unknown as Record<N, ArrayLike<unknown>[]>;
  await parquetRead({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
    columns: [...names],
    onChunk: ({ columnName, columnData }) => chunks[columnName as N].push(columnData),
  });
  return Object.fromEntries(names.map((n) => [n, chunks[n].flatMap((c) => Array.from(c))])) as unknown as Readonly<
    Record<N, readonly unknown[]>
  >;
};
