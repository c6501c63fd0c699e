import type { FeatureDigest } from '#core/contracts/device.ts';
import { packSketch } from '#core/drift/sketch/pack.ts';

export const LINE = 'predictive-maintenance/plant-a';
export const PACKAGE = `sha256:${'1'.repeat(64)}`;

/** A packed sketch of counts in inner cells, none of them beyond; what else it says does not matter here. */
export const packed = (name: string, inner: readonly number[]): [string, string] => {
  const n = inner.reduce((a, b) => a + b, 0);
  const sums = { n, z: 0, zz: 0, lag: 0, lagged: Math.max(0, n - 1), longest: 1, changes: Math.max(0, n - 1) };
  return [name, packSketch({ name, counts: [...inner, 0, 0, 0, 0], ...sums, min: 0, max: 1 })];
};

/** A feature digest of one feature, as it comes from the topic of its device. */
export const digest = (
  windowStart: number,
  windowEnd: number,
  counts: readonly number[],
  more: Partial<FeatureDigest> = {},
): FeatureDigest & { readonly cameOn: string } => ({
  cameOn: 'millwright/local/plant-a/edge-1/digest',
  schema: 'feature-digest/2',
  site: 'plant-a',
  device: 'edge-1',
  boot: 'boot-1',
  windowStart,
  windowEnd,
  rows: windowEnd - windowStart + 1,
  modelLine: LINE,
  packageDigest: PACKAGE,
  context: 'default',
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-01-01T01:00:00.000Z',
  assets: ['spindle-1'],
  part: 0,
  parts: 1,
  sketches: [packed('speed', counts)],
  ...more,
});
