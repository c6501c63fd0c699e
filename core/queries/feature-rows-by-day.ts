import { defineQuery, literal, PARAMS } from './query.ts';

/** How much of a feature set there is. */
export const featureRowsByDay = defineQuery({
  name: 'feature-rows-by-day',
  says: 'Rows of a feature set, each day of valid time, and how many of them are later versions of a row.',
  params: {
    feature_set: PARAMS.featureSet,
    site: PARAMS.site,
    first_day: PARAMS.firstDay,
    last_day: PARAMS.lastDay,
  },
  sql: (p) => `
WITH versions AS (
  SELECT
    "date",
    row_number() OVER (PARTITION BY "asset", "run", "index" ORDER BY "known_time") AS version
  FROM features
  WHERE "feature_set" = ${literal(p.feature_set)}
    AND "site" = ${literal(p.site)}
    AND "date" BETWEEN ${literal(p.first_day)} AND ${literal(p.last_day)}
)
SELECT
  "date",
  count(*) AS "all_rows",
  sum(CASE WHEN version > 1 THEN 1 ELSE 0 END) AS "corrections"
FROM versions
GROUP BY "date"
ORDER BY "date"`,
});
