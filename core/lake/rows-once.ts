import type { LandedTableName } from '../contracts/lake-tables.ts';

/**
 * SQL of a table with tiers, each of its rows once: those of tier cold for days that `compactions` names, those of tier
 * hot for all others. To be used in place of the table's name, with an alias: plain `FROM observations` would count rows
 * twice while a day changes over. What is asked of `site` and `date` outside still limits what is read.
 */
export const rowsOnce = (table: LandedTableName): string =>
  `(SELECT landed.* FROM ${table} AS landed LEFT JOIN compactions AS closed ON closed.table_name = '${table}' AND closed.site = landed.site AND closed.date = landed.date WHERE landed.tier = CASE WHEN closed.table_name IS NULL THEN 'hot' ELSE 'cold' END)`;
