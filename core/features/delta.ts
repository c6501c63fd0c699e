import type { WindowFeature } from './engine/feature.ts';

export const delta: WindowFeature = {
  name: 'delta',
  kind: 'window',
  version: 1,
  says: 'Mean over the window of the signal less the signal `from`, of the same dimension: a drop of pressure, a rise of temperature. What is in another unit is converted.',
  missing: 'Frames in which one of the two is not good are left out; missing when none is left.',
  params: { from: 'scalar-signal' },
  example: { from: 'inlet' },
  sameUnit: ['from'],
  unit: (signal) => signal,
  compute: ({ values, column }) => {
    const from = column('from');
    let sum = 0;
    let count = 0;
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i]) || Number.isNaN(from[i])) continue;
      sum += (values[i] as number) - (from[i] as number);
      count += 1;
    }
    return count === 0 ? undefined : sum / count;
  },
};
