import type { ScalarFeature } from './engine/feature.ts';

export const counterIncrease: ScalarFeature = {
  name: 'counter-increase',
  kind: 'scalar',
  version: 1,
  says: 'How much a counter counted in the window. One that falls has begun anew at 0, or, with `wrap`, gone on from there behind the number of values that it has (65536 for 16 bits).',
  missing:
    'Values that are not good are left out: what was counted meanwhile is in the next good one. Missing when none is left.',
  params: { wrap: 'optional-number' },
  refuse: ({ wrap }) =>
    wrap === undefined || (wrap as number) > 0 ? undefined : `"wrap" must be above 0, it is ${wrap}`,
  unit: (signal) => signal,
  compute: ({ values }, params) => {
    const wrap = typeof params['wrap'] === 'number' ? params['wrap'] : undefined;
    let increase = 0;
    for (let i = 1; i < values.length; i++) {
      const before = values[i - 1] as number;
      const after = values[i] as number;
      if (after >= before) increase += after - before;
      else increase += wrap === undefined ? after : after - before + wrap;
    }
    return increase;
  },
};
