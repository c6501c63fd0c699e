import type { ModelLineRecord } from '#core/contracts/retrain.ts';

/**
 * Record of a model line, whose site is the last part of its id.
 * @param champion digest of the package that serves since release 1; null: none yet.
 */
export const aModelLine = (
  modelLine: string,
  useCaseDigest: string,
  champion: string | null = null,
  over: Partial<ModelLineRecord> = {},
): ModelLineRecord => ({
  schema: 'model-line/1',
  modelLine,
  site: modelLine.split('/').at(-1) as string,
  useCaseDigest,
  champion:
    champion === null
      ? null
      : { packageDigest: champion, packagePrefix: 'packages/p/', releaseNumber: 1, releaseId: 'release-1' },
  lastReleaseNumber: champion === null ? 0 : 1,
  ...over,
});
