import type { ScalarFeature } from './engine/feature.ts';
import { meanOf } from './engine/mean-of.ts';

export const mean: ScalarFeature = {
  name: 'mean',
  kind: 'scalar',
  version: 1,
  says: 'Arithmetic mean of the good values in the window.',
  missing: 'Values that are not good are left out; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ values }) => meanOf(values),
};
