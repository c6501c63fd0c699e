import type { WindowFeature } from './engine/feature.ts';
import { correlationOf, pairSums } from './engine/pairs.ts';

export const pearson: WindowFeature = {
  name: 'pearson',
  kind: 'window',
  version: 1,
  says: "Pearson's correlation of the signal with the signal `with` over the window, −1 to 1: two that belong together and part are a fault of one.",
  missing:
    'Frames in which one of the two is not good are left out; missing with fewer than three of them, or when one signal does not change.',
  params: { with: 'scalar-signal' },
  example: { with: 'speed' },
  unit: () => '1',
  compute: ({ values, column }) => {
    const sums = pairSums(values, column('with'));
    return sums === undefined || sums.count < 3 ? undefined : correlationOf(sums);
  },
};
