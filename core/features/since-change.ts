import type { ScalarFeature } from './engine/feature.ts';

export const sinceChange: ScalarFeature = {
  name: 'since-change',
  kind: 'scalar',
  version: 1,
  says: 'Frames since the signal last took another value: 0 at the frame that brought it. Without a change in the window the age of its first good value: at least so long.',
  missing: 'Values that are not good are left out, the others keep their age; missing when none is left.',
  params: {},
  unit: () => '1',
  compute: ({ values, ages }) => {
    for (let i = values.length - 1; i > 0; i--) if (values[i] !== values[i - 1]) return ages[i];
    return ages[0];
  },
};
