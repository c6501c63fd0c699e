import type { ScalarFeature } from './engine/feature.ts';
import { meanOf } from './engine/mean-of.ts';

export const std: ScalarFeature = {
  name: 'std',
  kind: 'scalar',
  version: 1,
  says: 'Population standard deviation of the good values in the window; 0 for one value.',
  missing: 'Values that are not good are left out; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ values }) => {
    const mean = meanOf(values);
    let squares = 0;
    for (let i = 0; i < values.length; i++) {
      const off = (values[i] as number) - mean;
      squares += off * off;
    }
    return Math.sqrt(squares / values.length);
  },
};
