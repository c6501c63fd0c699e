import type { ScalarFeature } from './feature.ts';

export const mean: ScalarFeature = {
  name: 'mean',
  kind: 'scalar',
  says: 'Arithmetic mean of the good values in the window.',
  params: {},
  compute: (points) => {
    let sum = 0;
    for (const { value } of points) sum += value;
    return sum / points.length;
  },
};
