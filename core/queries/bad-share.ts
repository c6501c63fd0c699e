import { defineQuery, from, literal, PARAMS } from './query.ts';

/** How much of what came is unusable. */
export const badShare = defineQuery({
  name: 'bad-share',
  says: 'Share of values that are BAD, for each signal, of those that landed in some days; worst first.',
  params: { site: PARAMS.site, first_day: PARAMS.firstDay, last_day: PARAMS.lastDay },
  sql: (p) => `
SELECT
  "asset",
  "signal",
  count(*) AS "all_values",
  sum(CASE WHEN "quality" = 'BAD' THEN 1 ELSE 0 END) AS "bad_values",
  avg(CASE WHEN "quality" = 'BAD' THEN 1.0E0 ELSE 0.0E0 END) AS "bad_share"
FROM ${from('observations')}
WHERE "site" = ${literal(p.site)}
  AND "date" BETWEEN ${literal(p.first_day)} AND ${literal(p.last_day)}
GROUP BY "asset", "signal"
ORDER BY "bad_share" DESC, "asset", "signal"`,
});
