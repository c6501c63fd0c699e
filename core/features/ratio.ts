import type { WindowFeature } from './engine/feature.ts';

/** UCUM code of one unit by another. */
const per = (unit: string, by: string): string => {
  if (unit === by) return '1';
  return by === '1' ? unit : `(${unit})/(${by})`;
};

export const ratio: WindowFeature = {
  name: 'ratio',
  kind: 'window',
  version: 1,
  says: 'Sum of the signal by the sum of the signal `by` over the window: an efficiency, a specific consumption.',
  missing:
    'Frames in which one of the two is not good are left out; missing when none is left, or the sum of `by` is 0.',
  params: { by: 'scalar-signal' },
  example: { by: 'speed' },
  unit: (signal, params, unitOf) => per(signal, unitOf(String(params['by']))),
  compute: ({ values, column }) => {
    const by = column('by');
    let sum = 0;
    let bySum = 0;
    for (let i = 0; i < values.length; i++) {
      if (Number.isNaN(values[i]) || Number.isNaN(by[i])) continue;
      sum += values[i] as number;
      bySum += by[i] as number;
    }
    return bySum === 0 ? undefined : sum / bySum;
  },
};
