import type { RawObjectRecord } from '#core/contracts/lake.ts';

/** The record of an upload of nine frames of run r1 of machine m1; everything has a default. */
export const aRawObject = (over: Partial<RawObjectRecord> = {}): RawObjectRecord => ({
  schema: 'raw-object/1',
  bucket: 'lake',
  key: 'raw/frames/a',
  versionId: null,
  digest: `sha256:${'0'.repeat(64)}`,
  bytes: 1000,
  site: 'plant-a',
  asset: 'm1',
  run: 'r1',
  firstIndex: 1,
  lastIndex: 9,
  frames: 9,
  quarantined: 0,
  signals: ['level'],
  ...over,
});
