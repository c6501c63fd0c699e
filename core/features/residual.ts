import type { WindowFeature } from './engine/feature.ts';
import { pairSums } from './engine/pairs.ts';

export const residual: WindowFeature = {
  name: 'residual',
  kind: 'window',
  version: 1,
  says: 'The newest value less what the signal `on`, for example the load, lets expect: the least-squares line over the frames of the window before it.',
  missing:
    'Frames in which one of the two is not good are left out; missing when the newest is, with fewer than three before it, or when `on` did not change in them.',
  params: { on: 'scalar-signal' },
  example: { on: 'speed' },
  refuse: (_, window) => (window >= 4 ? undefined : `its window must be at least 4 frames, it is ${window}`),
  unit: (signal) => signal,
  compute: ({ values, column, ages }) => {
    const on = column('on');
    const last = values.length - 1;
    const newest = values[last] as number;
    const given = on[last] as number;
    if (ages[last] !== 0 || Number.isNaN(newest) || Number.isNaN(given)) return undefined;
    const sums = pairSums(on.subarray(0, last), values.subarray(0, last));
    if (sums === undefined || sums.count < 3 || sums.constantX) return undefined;
    return newest - (sums.meanY + (sums.xy / sums.xx) * (given - sums.meanX));
  },
};
