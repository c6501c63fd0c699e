import type { ScalarFeature } from './engine/feature.ts';

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
    let meanT = 0;
    let meanV = 0;
    for (let i = 0; i < count; i++) {
      meanT -= ages[i] as number;
      meanV += values[i] as number;
    }
    meanT /= count;
    meanV /= count;
    let covariance = 0;
    let variance = 0;
    for (let i = 0; i < count; i++) {
      const t = -(ages[i] as number) - meanT;
      covariance += t * ((values[i] as number) - meanV);
      variance += t * t;
    }
    return covariance / variance;
  },
};
