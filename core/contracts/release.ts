import { z } from 'zod';
import { Actor, DeviceId, Digest, Instant, ModelLineId, SemVer, SiteId } from './primitives.ts';

/** Input of the release state machine. */
export const ReleaseRequest = z.strictObject({
  schema: z.literal('release-request/1'),
  releaseId: z.string().min(1).max(64),
  modelLine: ModelLineId,
  site: SiteId,
  packageDigest: Digest,
  packagePrefix: z.string().describe('s3 key prefix of the package in the artifacts bucket'),
  releaseNumber: z.int().positive(),
  requestedBy: Actor,
  reason: z.string().min(1).max(400),
  revert: z.boolean(),
  rings: z.array(z.int().nonnegative()).min(1).optional().describe('only these rings; default: all of the use case'),
  forced: z
    .boolean()
    .optional()
    .describe('release a package that no retrain of this platform judged; the record says who wanted it'),
});
export type ReleaseRequest = z.infer<typeof ReleaseRequest>;

/** One ring's part of a release. */
export const WaveResult = z.strictObject({
  ring: z.int().nonnegative(),
  thingGroup: z.string(),
  deploymentId: z.string().nullable(),
  verdict: z.enum(['continue', 'revert', 'wait', 'empty']),
  devices: z.array(
    z.strictObject({
      device: DeviceId,
      status: z.enum(['adopted', 'waiting', 'refused', 'offline', 'failed']),
      decisions: z.int().nonnegative(),
      fallbackShare: z.number().min(0).max(1),
      p99Ms: z.number().nonnegative().nullable(),
      variant: z.enum(['fp32', 'int8']).nullable(),
    }),
  ),
  reasons: z.array(z.string()),
  shadow: z
    .strictObject({
      champion: Digest,
      expected: z.number().min(0).max(1).describe('share of disagreement that is acceptable'),
      batches: z.int().nonnegative(),
      disagreement: z.number().min(0).max(1).nullable().describe('share seen'),
      against: z.number().nonnegative().describe('e-value against "acceptable"; reverts at 1/alpha'),
      inFavour: z.number().nonnegative().describe('e-value against "too much"; goes on at 1/beta'),
      noReference: z.array(z.string()).describe('assets that were left out: the champion is no reference there'),
    })
    .nullable()
    .optional(),
});
export type WaveResult = z.infer<typeof WaveResult>;

/** Registry record `release/<id>`. */
export const ReleaseRecord = z.strictObject({
  schema: z.literal('release/1'),
  releaseId: z.string(),
  execution: z.string().default('').describe('ARN of the execution that brings it out'),
  modelLine: ModelLineId,
  site: SiteId,
  packageDigest: Digest,
  componentName: z.string(),
  componentVersion: SemVer,
  requestedBy: Actor,
  approvedBy: Actor,
  startedAt: Instant,
  finishedAt: Instant.nullable(),
  status: z.enum(['waiting-approval', 'rolling-out', 'released', 'reverted', 'refused', 'failed']),
  crowned: z.boolean().optional().describe('whether its package became the champion: not after a trial on some rings'),
  waves: z.array(WaveResult),
  notBack: z
    .array(z.strictObject({ device: DeviceId, thingGroup: z.string(), why: z.string() }))
    .default([])
    .describe('devices that did not confirm, after a revert, that they are as before'),
  reason: z.string(),
});
export type ReleaseRecord = z.infer<typeof ReleaseRecord>;

/** Component names: one code component of each kind, one weights component per model line. */
export const componentName = (part: string): string => `millwright.${part}`;
export const modelComponentName = (modelLine: string): string => `millwright.model.${modelLine.replace('/', '.')}`;
/** Things are `<stage>-<site>-<device>`; ring groups `<stage>-<site>-<deviceClass>-ring<k>` (site × device class × ring). */
export const thingName = (stage: string, site: string, device: string): string => `${stage}-${site}-${device}`;
export const ringGroupName = (stage: string, site: string, deviceClass: string, ring: number): string =>
  `${stage}-${site}-${deviceClass}-ring${ring}`;
