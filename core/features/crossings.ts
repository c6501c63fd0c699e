import { numberParam, type ScalarFeature } from './engine/feature.ts';

export const crossings: ScalarFeature = {
  name: 'crossings',
  kind: 'scalar',
  version: 1,
  says: 'How often the good values in the window go from below `level` to it or above, or back.',
  missing:
    'Values that are not good are left out: the ones beside them are neighbours then. Missing when none is left.',
  params: { level: 'level' },
  example: { level: 2 },
  unit: () => '1',
  compute: ({ values }, params) => {
    const level = numberParam(params, 'level', 'crossings');
    let count = 0;
    for (let i = 1; i < values.length; i++)
      if ((values[i - 1] as number) < level !== (values[i] as number) < level) count += 1;
    return count;
  },
};
