import type { ScalarFeature } from './engine/feature.ts';

export const range: ScalarFeature = {
  name: 'range',
  kind: 'scalar',
  version: 1,
  says: 'Largest less smallest good value in the window.',
  missing: 'Values that are not good are left out; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: ({ values }) => {
    let low = values[0] as number;
    let high = low;
    for (let i = 1; i < values.length; i++) {
      const value = values[i] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    return high - low;
  },
};
