import type { LakeRow, LakeTableName } from '#core/contracts/lake-tables.ts';
import type { ObjectStore } from '../../lambdas/shared/object-store.ts';
import { rowsFromParquet } from '../../lambdas/shared/table-file.ts';

/** Rows of a table in every object whose key begins with `prefix`, in the order of the keys. */
export const rowsUnder = async <N extends LakeTableName>(
  store: ObjectStore,
  table: N,
  prefix: string,
): Promise<LakeRow<N>[]> => {
  const keys = await store.list(prefix);
  return (await Promise.all(keys.map(async (key) => rowsFromParquet(table, await store.get(key))))).flat();
};
