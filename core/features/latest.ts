import type { ScalarFeature } from './feature.ts';

export const latest: ScalarFeature = {
  name: 'latest',
  kind: 'scalar',
  says: 'The newest good value in the window.',
  params: {},
  compute: (points) => (points.at(-1) as { value: number }).value,
};
