import { numberParam, type ScalarFeature } from './engine/feature.ts';
import { quantileOf, quantileProblem } from './engine/quantile.ts';

export const quantile: ScalarFeature = {
  name: 'quantile',
  kind: 'scalar',
  version: 1,
  says: 'Quantile `q` of the good values in the window: 0 the smallest, 0.5 the median, 1 the largest; between two values on the line that joins them (type 7 of Hyndman & Fan 1996).',
  missing: 'Values that are not good are left out; missing when none is left.',
  params: { q: 'number' },
  example: { q: 0.5 },
  refuse: quantileProblem,
  unit: (signal) => signal,
  compute: ({ values }, params) => quantileOf(values, numberParam(params, 'q', 'quantile')),
};
