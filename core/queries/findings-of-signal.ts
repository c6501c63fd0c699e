import { lastWords } from './last-words.ts';
import { defineQuery, literal, PARAMS } from './query.ts';

/** What was found of one signal. */
export const findingsOfSignal = defineQuery({
  name: 'findings-of-signal',
  says: 'Every stretch in which a check of data quality failed for a signal.',
  params: {
    site: PARAMS.site,
    asset: PARAMS.asset,
    signal: PARAMS.signal,
    first_day: PARAMS.firstDay,
    last_day: PARAMS.lastDay,
  },
  sql: (p) => lastWords(p, `"asset" = ${literal(p.asset)} AND "signal" = ${literal(p.signal)}`),
});
