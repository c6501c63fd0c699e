import { numberParam, type ScalarFeature } from './engine/feature.ts';

export const sinceCrossing: ScalarFeature = {
  name: 'since-crossing',
  kind: 'scalar',
  version: 1,
  says: 'Frames since the signal last rose to `level` or above, as a switch or a stage does: 0 at the frame that did. Where it did not in the window, the age of its first good value: at least so long.',
  missing: 'Values that are not good are left out, the others keep their age; missing when none is left.',
  params: { level: 'level' },
  example: { level: 2 },
  unit: () => '1',
  compute: ({ values, ages }, params) => {
    const level = numberParam(params, 'level', 'since-crossing');
    for (let i = values.length - 1; i > 0; i--)
      if ((values[i] as number) >= level && (values[i - 1] as number) < level) return ages[i];
    return ages[0];
  },
};
