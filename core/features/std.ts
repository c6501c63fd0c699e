import type { ScalarFeature } from './feature.ts';

export const std: ScalarFeature = {
  name: 'std',
  kind: 'scalar',
  says: 'Population standard deviation of the good values in the window; 0 for one value.',
  params: {},
  compute: (points) => {
    let sum = 0;
    for (const { value } of points) sum += value;
    const mean = sum / points.length;
    let squares = 0;
    for (const { value } of points) squares += (value - mean) * (value - mean);
    return Math.sqrt(squares / points.length);
  },
};
