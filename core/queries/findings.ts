import { lastWords } from './last-words.ts';
import { defineQuery, PARAMS } from './query.ts';

/** What was found of all signals. */
export const findings = defineQuery({
  name: 'findings',
  says: 'Every stretch in which a check of data quality failed, by what was said of it last.',
  params: { site: PARAMS.site, first_day: PARAMS.firstDay, last_day: PARAMS.lastDay },
  sql: (p) => lastWords(p, 'TRUE'),
});
