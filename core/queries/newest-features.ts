import { MOVED_DAYS } from '../point-in-time/store-object.ts';
import { daysAfter } from '../policy/days-after.ts';
import { columns, dayOf, literal } from './query.ts';

const ROW = ['asset', 'run', 'index', 'context', 'valid_time', 'known_time', 'x', 'source'] as const;

/**
 * Of each row of a feature set the version that was known by an instant, as a table `versions`; rows that were known by
 * then to be none are left out.
 * @param of `days`: first and last day of valid time. @param more condition on what is read.
 */
export const knownVersions = (
  of: {
    readonly featureSet: string;
    readonly site: string;
    readonly days: readonly [string, string];
    readonly knownAt: string;
  },
  more = 'true',
): string => `every_version AS (
  SELECT
    ${columns('features', ROW)},
    row_number() OVER (
      PARTITION BY "asset", "run", "index"
      ORDER BY "known_time" DESC, "source" DESC
    ) AS version
  FROM features
  WHERE "feature_set" = ${literal(of.featureSet)}
    AND "site" = ${literal(of.site)}
    AND "date" BETWEEN ${literal(of.days[0])} AND ${literal(of.days[1])}
    AND "known_time" <= ${literal(of.knownAt)}
    AND ${more}
),
versions AS (
  SELECT ${columns('features', ROW)}
  FROM every_version
  WHERE version = 1
    AND cardinality("x") > 0
)`;

/**
 * Of each machine the newest row of a feature set that was valid at `at`, as was known by `knownAt`: what
 * `core/point-in-time` joins to a label of that time.
 * @param maxAgeDays older rows are not looked for.
 */
export const newestFeatures = (of: {
  readonly featureSet: string;
  readonly site: string;
  readonly at: string;
  readonly knownAt: string;
  readonly maxAgeDays: string;
}): string => {
  const days = Number(of.maxAgeDays);
  return `
WITH ${knownVersions({
    ...of,
    days: [dayOf(of.at, -days - MOVED_DAYS), dayOf(of.at, MOVED_DAYS)],
  })},
candidates AS (
  SELECT
    ${columns('features', ROW)},
    row_number() OVER (
      PARTITION BY "asset"
      ORDER BY "valid_time" DESC, "known_time" DESC, "index" DESC, "source" DESC
    ) AS place
  FROM versions
  WHERE "valid_time" <= ${literal(of.at)}
    AND "valid_time" >= ${literal(daysAfter(of.at, -days))}
)
SELECT ${columns('features', ROW)}
FROM candidates
WHERE place = 1
ORDER BY "asset"`;
};
