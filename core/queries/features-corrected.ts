import { Instant } from '../contracts/primitives.ts';
import { newestFeatures } from './newest-features.ts';
import { defineQuery, PARAMS } from './query.ts';

/** What became known later of how machines were at an instant. */
export const featuresCorrected = defineQuery({
  name: 'features-corrected',
  says: 'Of each machine the features at an instant as they were known later, corrections and late frames included.',
  params: {
    feature_set: PARAMS.featureSet,
    site: PARAMS.site,
    at: { says: 'the instant', schema: Instant, example: '2026-01-03T00:00:00.000Z' },
    known_at: { says: 'by when it was known', schema: Instant, example: '2026-01-05T00:00:00.000Z' },
    max_age_days: PARAMS.maxAgeDays,
  },
  sql: (p) =>
    newestFeatures({
      featureSet: p.feature_set,
      site: p.site,
      at: p.at,
      knownAt: p.known_at,
      maxAgeDays: p.max_age_days,
    }),
});
