import { numberParam, type ScalarFeature } from './engine/feature.ts';

export const baselineDeviation: ScalarFeature = {
  name: 'baseline-deviation',
  kind: 'scalar',
  version: 1,
  says: "How far the asset has left its own baseline: mean of the good values of the newest `recent` frames less the mean of those before, in standard deviations of those before. With `recent` 1 it is the newest value's z-score.",
  missing:
    'Values that are not good are left out; missing when none of the recent ones is left, fewer than two of those before, or these are all the same.',
  params: { recent: 'number' },
  example: { recent: 2 },
  refuse: ({ recent }, window) =>
    Number.isInteger(recent) && (recent as number) >= 1 && (recent as number) <= window - 2
      ? undefined
      : `"recent" must be a whole number from 1 to ${window - 2} (two less than its window), it is ${recent}`,
  unit: () => '1',
  compute: ({ values, ages }, params) => {
    const recent = numberParam(params, 'recent', 'baseline-deviation');
    let count = 0;
    let sum = 0;
    let newSum = 0;
    for (let i = 0; i < values.length; i++) {
      if ((ages[i] as number) < recent) newSum += values[i] as number;
      else {
        sum += values[i] as number;
        count += 1;
      }
    }
    if (count < 2 || count === values.length) return undefined;
    const mean = sum / count;
    let squares = 0;
    let changes = false;
    for (let i = 0; i < count; i++) {
      const off = (values[i] as number) - mean;
      squares += off * off;
      changes ||= values[i] !== values[0];
    }
    // Rounding of the mean leaves a constant some tiny squares.
    return changes ? (newSum / (values.length - count) - mean) / Math.sqrt(squares / count) : undefined;
  },
};
