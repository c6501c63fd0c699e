import { decayProblem } from './engine/decay.ts';
import { numberParam, type ScalarFeature } from './engine/feature.ts';

export const decayedStd: ScalarFeature = {
  name: 'decayed-std',
  kind: 'scalar',
  version: 1,
  says: 'Standard deviation of the good values in the window around their `decayed-mean`, each weighted as there; 0 for one value.',
  missing: 'Values that are not good are left out, the others keep their age; missing when none is left.',
  params: { decay: 'number' },
  example: { decay: 0.9 },
  refuse: decayProblem,
  unit: (signal) => signal,
  compute: ({ values, ages }, params) => {
    const decay = numberParam(params, 'decay', 'decayed-std');
    // One pass with weights that shrink as newer values come (West 1979): no second look at ages.
    let mean = 0;
    let squares = 0;
    let weights = 0;
    let age = ages[0] as number;
    for (let i = 0; i < values.length; i++) {
      for (; age > (ages[i] as number); age--) {
        weights *= decay;
        squares *= decay;
      }
      const off = (values[i] as number) - mean;
      weights += 1;
      mean += off / weights;
      squares += off * ((values[i] as number) - mean);
    }
    return Math.sqrt(squares / weights);
  },
};
