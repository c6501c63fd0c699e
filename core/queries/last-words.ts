import { columns, from, literal } from './query.ts';

const FINDING = [
  'asset',
  'signal',
  'check',
  'from_time',
  'to_time',
  'open',
  'count',
  'worst',
  'says',
  'found_at',
  'found_by',
] as const;

/**
 * Each stretch once, by what was said of it last, of those that were spoken of in some days.
 * @param more condition on the last word.
 */
export const lastWords = (
  p: { readonly site: string; readonly first_day: string; readonly last_day: string },
  more: string,
) => `
WITH words AS (
  SELECT
    ${columns('quality', FINDING)},
    row_number() OVER (
      PARTITION BY "asset", "signal", "check", "from_time", "found_by"
      ORDER BY "found_at" DESC, "to_time" DESC
    ) AS place
  FROM ${from('quality')}
  WHERE "site" = ${literal(p.site)}
    AND "date" BETWEEN ${literal(p.first_day)} AND ${literal(p.last_day)}
)
SELECT ${columns('quality', FINDING)}
FROM words
WHERE place = 1
  AND ${more}
ORDER BY "from_time", "asset", "signal", "check", "found_by"`;
