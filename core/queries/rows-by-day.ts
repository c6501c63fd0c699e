import { z } from 'zod';
import { LAKE_TABLES, type LakeTableName } from '../contracts/lake-tables.ts';
import { defineQuery, from, literal, PARAMS } from './query.ts';

const isInjected = (table: (typeof LAKE_TABLES)[keyof typeof LAKE_TABLES]): boolean =>
  Object.values(table.partitions).some((p) => p.type === 'injected');

/** Tables that can be read without naming a partition's value. */
const TABLES = Object.values(LAKE_TABLES)
  .filter((t) => !isInjected(t))
  .map((t) => t.name);

/** How much a table grew. */
export const rowsByDay = defineQuery({
  name: 'rows-by-day',
  says: `Rows of a table, each day: ${TABLES.join(', ')}.`,
  params: {
    table: { says: `one of ${TABLES.join(', ')}`, schema: z.enum(TABLES), example: 'decisions' },
    site: PARAMS.site,
    first_day: PARAMS.firstDay,
    last_day: PARAMS.lastDay,
  },
  sql: (p) => `
SELECT "date", count(*) AS "all_rows"
FROM ${from(p.table as LakeTableName)}
WHERE "site" = ${literal(p.site)}
  AND "date" BETWEEN ${literal(p.first_day)} AND ${literal(p.last_day)}
GROUP BY "date"
ORDER BY "date"`,
});
