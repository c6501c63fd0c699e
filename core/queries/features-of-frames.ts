import { Instant } from '../contracts/primitives.ts';
import { MOVED_DAYS } from '../point-in-time/store-object.ts';
import { knownVersions } from './newest-features.ts';
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
WITH ${knownVersions(
    {
      featureSet: p.feature_set,
      site: p.site,
      days: [dayOf(p.from, -MOVED_DAYS), dayOf(p.to, MOVED_DAYS)],
      knownAt: p.known_at,
    },
    `"asset" = ${literal(p.asset)}`,
  )}
SELECT ${columns('features', ROW)}
FROM versions
WHERE "valid_time" >= ${literal(p.from)}
  AND "valid_time" < ${literal(p.to)}
ORDER BY "valid_time", "run", "index"`,
});
