import type { ScalarFeature } from './engine/feature.ts';

export const mean: ScalarFeature = {
  name: 'mean',
  kind: 'scalar',
  version: 1,
  says: 'Arithmetic mean of the good values in the window.',
  missing: 'Values that are not good are left out; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ values }) => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i] as number;
    return sum / values.length;
  },
};
