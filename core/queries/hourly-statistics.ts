import { signalRange } from './observations-of-signal.ts';
import { defineQuery, from, PARAMS } from './query.ts';

/** Statistics of what may be computed with: GOOD numbers. */
export const hourlyStatistics = defineQuery({
  name: 'hourly-statistics',
  says: 'Count, mean, spread and bounds of the good values of a signal, each hour (UTC).',
  params: {
    site: PARAMS.site,
    asset: PARAMS.asset,
    signal: PARAMS.signal,
    from: PARAMS.from,
    to: PARAMS.to,
    lateness_days: PARAMS.latenessDays,
  },
  sql: (p) => `
SELECT
  concat(substr("source_time", 1, 13), ':00:00.000Z') AS "hour",
  "unit",
  count(*) AS "good_values",
  avg("value") AS "mean",
  stddev_pop("value") AS "std",
  min("value") AS "lowest",
  max("value") AS "highest"
FROM ${from('observations')}
WHERE ${signalRange(p)}
  AND "quality" = 'GOOD'
  AND "value" IS NOT NULL
GROUP BY substr("source_time", 1, 13), "unit"
ORDER BY "hour", "unit"`,
});
