import type { WindowFeature } from './engine/feature.ts';

export const goodShare: WindowFeature = {
  name: 'good-share',
  kind: 'window',
  version: 1,
  says: 'Share of the frames of the window, as long as it is declared, whose value is there and good.',
  missing:
    'Never missing: 0 when no value is good. Frames that never came, or are of before the run, count as not good.',
  params: {},
  unit: () => '1',
  compute: ({ values, length }) => {
    let good = 0;
    for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i])) good += 1;
    return good / length;
  },
};
