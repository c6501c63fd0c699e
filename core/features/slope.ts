import type { ScalarFeature } from './engine/feature.ts';

export const slope: ScalarFeature = {
  name: 'slope',
  kind: 'scalar',
  version: 1,
  says: 'Least-squares slope over the window, signal units per frame; 0 while there are fewer than `min` good values (default 2).',
  missing: 'Values that are not good are left out, the others keep their place in time; missing when none is left.',
  params: { min: 'optional-number' },
  unit: (signal) => signal,
  compute: (points, params) => {
    const min = typeof params['min'] === 'number' ? params['min'] : 2;
    if (points.length < min || points.length < 2) return 0;
    let meanT = 0;
    let meanV = 0;
    for (const { age, value } of points) {
      meanT -= age;
      meanV += value;
    }
    meanT /= points.length;
    meanV /= points.length;
    let covariance = 0;
    let variance = 0;
    for (const { age, value } of points) {
      const t = -age - meanT;
      covariance += t * (value - meanV);
      variance += t * t;
    }
    return covariance / variance;
  },
};
