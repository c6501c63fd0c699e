import fc from 'fast-check';
import { FeatureDigest } from '#core/contracts/device.ts';
import type { Baseline } from '#core/contracts/model-package.ts';
import { binOf, FeatureHistogram } from '#core/inference/histogram.ts';
import { digestOf } from '#core/lineage/digest.ts';

const OF = {
  site: 'plant-a',
  device: 'edge-1',
  boot: 'b1-abc',
  modelLine: 'test-case/plant-a',
  packageDigest: digestOf('package'),
};
const baseline = (features: number): Baseline => ({
  schema: 'baseline/1',
  featureSetDigest: digestOf('set'),
  rows: 10,
  features: Array.from({ length: features }, (_, i) => ({
    name: `feature_${i}`,
    edges: [1, 2, 3, 4, 5, 6, 7, 8, 9],
    shares: new Array<number>(10).fill(0.1),
    mean: 0,
    std: 1,
  })),
});

describe('a histogram of features', () => {
  it('puts a value on an edge into the bin above it', () => {
    expect([0.5, 1, 1.5, 9, 100].map((v) => binOf([1, 9], v))).toEqual([0, 1, 1, 2, 2]);
  });

  it('counts every value once, in parts that each fit a message, and starts anew when cleared', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 20 }), (features, decisions) => {
        const histogram = new FeatureHistogram(baseline(features));
        for (let s = 1; s <= decisions; s++) histogram.add(s, new Array<number>(features).fill(s));
        const parts = histogram.digests(OF);
        for (const part of parts) {
          expect(FeatureDigest.safeParse(part).success).toBe(true);
          expect(JSON.stringify(part).length).toBeLessThan(7000);
          expect(part).toMatchObject({ windowStart: 1, windowEnd: decisions, parts: parts.length });
          for (const f of part.features) expect(f.counts.reduce((a, b) => a + b, 0)).toBe(decisions);
        }
        expect(parts.flatMap((p) => p.features.map((f) => f.name))).toEqual(
          Array.from({ length: features }, (_, i) => `feature_${i}`),
        );
        histogram.clear();
        expect(histogram.digests(OF)).toEqual([]);
      }),
      { numRuns: 20 },
    );
  });
});
