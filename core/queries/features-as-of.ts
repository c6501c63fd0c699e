import { Instant } from '../contracts/primitives.ts';
import { newestFeatures } from './newest-features.ts';
import { defineQuery, PARAMS } from './query.ts';

/** What was known at an instant of each machine. */
export const featuresAsOf = defineQuery({
  name: 'features-as-of',
  says: 'Of each machine the newest features that were known at an instant: what a decision could have seen.',
  params: {
    feature_set: PARAMS.featureSet,
    site: PARAMS.site,
    at: { says: 'the instant', schema: Instant, example: '2026-01-03T00:00:00.000Z' },
    max_age_days: PARAMS.maxAgeDays,
  },
  sql: (p) =>
    newestFeatures({
      featureSet: p.feature_set,
      site: p.site,
      at: p.at,
      knownAt: p.at,
      maxAgeDays: p.max_age_days,
    }),
});
