import type { ScalarFeature } from './engine/feature.ts';

export const latest: ScalarFeature = {
  name: 'latest',
  kind: 'scalar',
  version: 1,
  says: 'The newest good value in the window.',
  missing: 'Missing when no value in the window is good.',
  params: {},
  unit: (signal) => signal,
  compute: ({ values }) => values.at(-1),
};
