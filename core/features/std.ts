import type { ScalarFeature } from './engine/feature.ts';

export const std: ScalarFeature = {
  name: 'std',
  kind: 'scalar',
  version: 1,
  says: 'Population standard deviation of the good values in the window; 0 for one value.',
  missing: 'Values that are not good are left out; missing when none is left.',
  params: {},
  unit: (signal) => signal,
  compute: (points) => {
    let sum = 0;
    for (const { value } of points) sum += value;
    const mean = sum / points.length;
    let squares = 0;
    for (const { value } of points) squares += (value - mean) * (value - mean);
    return Math.sqrt(squares / points.length);
  },
};
