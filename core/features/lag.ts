import { numberParam, type ScalarFeature } from './engine/feature.ts';
import { lagProblem } from './engine/lag.ts';

export const lag: ScalarFeature = {
  name: 'lag',
  kind: 'scalar',
  version: 1,
  says: 'The value `frames` frames before the newest frame.',
  missing: 'Missing when the value of just that frame is not good.',
  params: { frames: 'number' },
  example: { frames: 1 },
  refuse: lagProblem,
  unit: (signal) => signal,
  compute: ({ values, ages }, params) => values[ages.indexOf(numberParam(params, 'frames', 'lag'))],
};
