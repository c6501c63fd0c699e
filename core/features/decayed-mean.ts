import { decayProblem } from './engine/decay.ts';
import { numberParam, type ScalarFeature } from './engine/feature.ts';

export const decayedMean: ScalarFeature = {
  name: 'decayed-mean',
  kind: 'scalar',
  version: 1,
  says: 'Mean of the good values in the window, weight `decay` to the power of their age (0 < decay ≤ 1).',
  missing: 'Values that are not good are left out, the others keep their age; missing when none is left.',
  params: { decay: 'number' },
  example: { decay: 0.9 },
  refuse: decayProblem,
  unit: (signal) => signal,
  compute: ({ values, ages }, params) => {
    const decay = numberParam(params, 'decay', 'decayed-mean');
    let sum = 0;
    let weights = 0;
    // Horner over ages: no Math.pow, whose last bit may differ between engines.
    let age = ages[0] as number;
    for (let i = 0; i < values.length; i++) {
      for (; age > (ages[i] as number); age--) {
        sum *= decay;
        weights *= decay;
      }
      sum += values[i] as number;
      weights += 1;
    }
    return sum / weights;
  },
};
