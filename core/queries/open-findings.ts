import { lastWords } from './last-words.ts';
import { defineQuery, PARAMS } from './query.ts';

/** Stretches that go on. */
export const openFindings = defineQuery({
  name: 'open-findings',
  says: 'Stretches of bad data that had not ended when they were last spoken of.',
  params: { site: PARAMS.site, first_day: PARAMS.firstDay, last_day: PARAMS.lastDay },
  sql: (p) => lastWords(p, '"open"'),
});
