import { columns, dayOf, literal } from './query.ts';

const ROW = ['asset', 'run', 'index', 'context', 'valid_time', 'known_time', 'x', 'source'] as const;

/**
 * Of each machine the newest row of a feature set that was valid at `at` and known by `knownAt`. Rows that are equal in
 * both times are told apart by index and source, as `core/point-in-time/join.ts` does.
 * @param maxAgeDays rows older than this, by day, are not looked for: it bounds what is read.
 */
export const newestFeatures = (of: {
  readonly featureSet: string;
  readonly site: string;
  readonly at: string;
  readonly knownAt: string;
  readonly maxAgeDays: string;
}): string => `
WITH candidates AS (
  SELECT
    ${columns('features', ROW)},
    row_number() OVER (
      PARTITION BY "asset"
      ORDER BY "valid_time" DESC, "known_time" DESC, "index" DESC, "source" DESC
    ) AS place
  FROM features
  WHERE "feature_set" = ${literal(of.featureSet)}
    AND "site" = ${literal(of.site)}
    AND "date" BETWEEN ${literal(dayOf(of.at, -Number(of.maxAgeDays)))} AND ${literal(dayOf(of.at))}
    AND "valid_time" <= ${literal(of.at)}
    AND "known_time" <= ${literal(of.knownAt)}
)
SELECT ${columns('features', ROW)}
FROM candidates
WHERE place = 1
ORDER BY "asset"`;
