import type { BaselineSpec } from '#core/contracts/baseline.ts';
import { chartLimits } from '#core/drift/device/chart-limits.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';

const baselineOf = (windows: number, seed: number): BaselineSpec => {
  const random = seededRandom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return {
    schema: 'baseline/2',
    featureSetDigest: `sha256:${'0'.repeat(64)}`,
    rows: 100 * windows,
    windows: { rows: 100, count: windows },
    features: [
      {
        name: 'flow',
        cells: { kind: 'numeric', edges: [0], atoms: [], range: null, center: 0, scale: 1 },
        counts: [50 * windows, 50 * windows, 0, 0, 0, 0],
        windowMeans: Array.from({ length: windows }, normal),
      },
    ],
    joint: null,
    contexts: [],
  };
};
/** Upper end of the run length over what is expected of it, on the average of some references. */
const spreadOf = (windows: number): number => {
  const spreads = [1, 2, 3, 4, 5, 6].map((seed) => {
    const { value, interval } = chartLimits(baselineOf(windows, seed), 10_000, seed)?.arl0 ?? {
      value: 1,
      interval: [1, 1],
    };
    return interval[1] / value;
  });
  return spreads.reduce((a, b) => a + b, 0) / spreads.length;
};

describe('the run length that charts of a device are said to have', () => {
  it('has an interval that is wider where fewer windows tell what the reference is', () => {
    const [few, many] = [spreadOf(30), spreadOf(1000)];
    expect(few).toBeGreaterThan(1.5 * many);
  });
  it('is not said of a reference with fewer than 20 windows', () => {
    expect(chartLimits(baselineOf(19, 1), 10_000, 1)).toBeNull();
  });
});
