import { columns, dayOf, defineQuery, literal, PARAMS } from './query.ts';

const DECISION = ['id', 'asset', 'run', 'index', 'decided_at', 'verdict', 'value', 'package_digest'] as const;

/** What the store says that a decision saw. */
export const decisionsWithFeatures = defineQuery({
  name: 'decisions-with-features',
  says: 'Decisions of a machine, each with the features of its frame as they were known when it was made.',
  params: {
    feature_set: PARAMS.featureSet,
    site: PARAMS.site,
    asset: PARAMS.asset,
    from: { ...PARAMS.from, says: 'first time of a decision' },
    to: { ...PARAMS.to, says: 'time of a decision before which it ends' },
    max_age_days: {
      ...PARAMS.maxAgeDays,
      says: 'days that a frame may be old when it is decided about',
      example: '1',
      fallback: '1',
    },
    lateness_days: PARAMS.latenessDays,
  },
  sql: (p) => `
WITH versions AS (
  SELECT
    ${columns('decisions', DECISION, 'd')},
    f."known_time", f."x", f."source",
    row_number() OVER (
      PARTITION BY d."id"
      ORDER BY f."known_time" DESC, f."source" DESC
    ) AS place
  FROM decisions d
  LEFT JOIN (
    SELECT ${columns('features', ['asset', 'run', 'index', 'known_time', 'x', 'source'])}
    FROM features
    WHERE "feature_set" = ${literal(p.feature_set)}
      AND "site" = ${literal(p.site)}
      AND "date" BETWEEN ${literal(dayOf(p.from, -Number(p.max_age_days)))} AND ${literal(dayOf(p.to))}
      AND "asset" = ${literal(p.asset)}
  ) f
    ON f."asset" = d."asset"
    AND f."run" = d."run"
    AND f."index" = d."index"
    AND f."known_time" <= d."decided_at"
  WHERE d."site" = ${literal(p.site)}
    AND d."date" BETWEEN ${literal(dayOf(p.from))} AND ${literal(dayOf(p.to, Number(p.lateness_days)))}
    AND d."asset" = ${literal(p.asset)}
    AND d."feature_set_digest" = ${literal(`sha256:${p.feature_set}`)}
    AND d."decided_at" >= ${literal(p.from)}
    AND d."decided_at" < ${literal(p.to)}
)
SELECT ${columns('decisions', DECISION)}, "known_time", "x", "source"
FROM versions
WHERE place = 1
ORDER BY "decided_at", "id"`,
});
