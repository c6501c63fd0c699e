import { Instant } from '../contracts/primitives.ts';
import { columns, dayOf, defineQuery, literal, PARAMS } from './query.ts';

const ROW = ['run', 'index', 'context', 'valid_time', 'known_time', 'x', 'source'] as const;

/** Each frame once, in the version that was known at an instant. */
export const featuresOfFrames = defineQuery({
  name: 'features-of-frames',
  says: 'Features of each frame of a machine in a stretch of time, as they were known at an instant.',
  params: {
    feature_set: PARAMS.featureSet,
    site: PARAMS.site,
    asset: PARAMS.asset,
    from: PARAMS.from,
    to: PARAMS.to,
    known_at: { says: 'by when it was known', schema: Instant, example: '2026-01-09T00:00:00.000Z' },
  },
  sql: (p) => `
WITH versions AS (
  SELECT
    ${columns('features', ROW)},
    row_number() OVER (
      PARTITION BY "run", "index"
      ORDER BY "known_time" DESC, "source" DESC
    ) AS place
  FROM features
  WHERE "feature_set" = ${literal(p.feature_set)}
    AND "site" = ${literal(p.site)}
    AND "date" BETWEEN ${literal(dayOf(p.from))} AND ${literal(dayOf(p.to))}
    AND "asset" = ${literal(p.asset)}
    AND "valid_time" >= ${literal(p.from)}
    AND "valid_time" < ${literal(p.to)}
    AND "known_time" <= ${literal(p.known_at)}
)
SELECT ${columns('features', ROW)}
FROM versions
WHERE place = 1
ORDER BY "valid_time", "run", "index"`,
});
