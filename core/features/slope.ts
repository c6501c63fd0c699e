import type { ScalarFeature } from './engine/feature.ts';
import { meanOf } from './engine/mean-of.ts';

export const slope: ScalarFeature = {
  name: 'slope',
  kind: 'scalar',
  version: 1,
  says: 'Least-squares slope over the window, signal units per frame; 0 while there are fewer than `min` good values (default 2).',
  missing: 'Values that are not good are left out, the others keep their place in time; missing when none is left.',
  params: { min: 'optional-number' },
  unit: (signal) => signal,
  compute: ({ values, ages }, params) => {
    const min = typeof params['min'] === 'number' ? params['min'] : 2;
    const count = values.length;
    if (count < min || count < 2) return 0;
    const meanV = meanOf(values);
    let covariance = 0;
    if (ages[0] === count - 1) {
      // No hole: times are whole numbers one apart, and sums of them exact.
      const meanT = (1 - count) / 2;
      for (let i = 0; i < count; i++) covariance += (i + 1 - count - meanT) * ((values[i] as number) - meanV);
      return covariance / ((count * (count * count - 1)) / 12);
    }
    let meanT = 0;
    for (let i = 0; i < count; i++) meanT -= ages[i] as number;
    meanT /= count;
    let variance = 0;
    for (let i = 0; i < count; i++) {
      const t = -(ages[i] as number) - meanT;
      covariance += t * ((values[i] as number) - meanV);
      variance += t * t;
    }
    return covariance / variance;
  },
};
