import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';

/** Parquet bytes of columns, Snappy; the same columns give the same bytes. */
export const writeParquet = (columns: ColumnSource[]): Uint8Array =>
  new Uint8Array(parquetWriteBuffer({ columnData: columns }));

/** Rows of a Parquet file as objects. */
export const readParquet = async (bytes: Uint8Array): Promise<Record<string, unknown>[]> => {
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  return parquetReadObjects({ file, compressors });
};
