import { numberParam, type ScalarFeature } from './engine/feature.ts';
import { lagProblem } from './engine/lag.ts';

export const difference: ScalarFeature = {
  name: 'difference',
  kind: 'scalar',
  version: 1,
  says: 'The value of the newest frame less that of `frames` frames before.',
  missing: 'Missing when one of the two values is not good.',
  params: { frames: 'number' },
  example: { frames: 1 },
  refuse: lagProblem,
  unit: (signal) => signal,
  compute: ({ values, ages }, params) => {
    if (ages.at(-1) !== 0) return undefined;
    const before = values[ages.indexOf(numberParam(params, 'frames', 'difference'))];
    return before === undefined ? undefined : (values.at(-1) as number) - before;
  },
};
