import type { FeatureDefinition, FeatureSet } from '#core/contracts/feature-set.ts';

/** A feature set of some definitions; only what a test is about has to be said. */
export const aFeatureSet = (...features: (Partial<FeatureDefinition> & { feature: string })[]): FeatureSet => ({
  schema: 'feature-set/1',
  id: 'test',
  owner: 'test',
  description: 'test',
  features: features.map((f, i) => ({ name: `f${i}`, signal: 'level', window: 1, params: {}, ...f })),
});
