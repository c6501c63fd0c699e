export const LINE = 'predictive-maintenance/plant-a';
export const PACKAGE = `sha256:${'1'.repeat(64)}`;

/** A feature digest of one feature, as it comes from the topic of its device. */
export const digest = (windowStart: number, windowEnd: number, counts: readonly number[], more = {}) => ({
  cameOn: 'millwright/local/plant-a/edge-1/digest',
  schema: 'feature-digest/1',
  site: 'plant-a',
  device: 'edge-1',
  boot: 'boot-1',
  windowStart,
  windowEnd,
  modelLine: LINE,
  packageDigest: PACKAGE,
  part: 0,
  parts: 1,
  features: [{ name: 'speed', counts }],
  ...more,
});
