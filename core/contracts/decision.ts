import { z } from 'zod';
import { AssetId, DeviceId, Digest, Instant, ModelLineId, SiteId, Slug } from './primitives.ts';
import { thingName } from './release.ts';

/** site/device/boot/sequence; made on the device, never needs the cloud. Sequence rises by one from 1 in a boot. */
export const DecisionId = z.string().regex(/^[a-z0-9-]+\/[a-z0-9-]+\/[a-z0-9-]+\/\d+$/);

/**
 * What the edge said about one frame, with the evidence to replay it.
 * `undecided` = the model answered but may not be trusted (outside the envelope, inside the unsure band);
 * `fallback` = no answer in time; `held` = the intent was durable and the result was lost to a power cut.
 */
export const DecisionRecord = z.strictObject({
  schema: z.literal('decision/1'),
  id: DecisionId,
  site: SiteId,
  device: DeviceId,
  boot: Slug,
  sequence: z.int().positive(),
  modelLine: ModelLineId,
  asset: AssetId,
  run: Slug,
  index: z.int().positive(),
  sourceTime: Instant,
  decidedAt: Instant,
  verdict: z.enum(['pass', 'fail', 'undecided', 'fallback', 'held']),
  value: z.number().nullable(),
  reason: z.string().max(200),
  packageDigest: Digest.nullable(),
  variant: z.enum(['fp32', 'int8']).nullable(),
  featureSetDigest: Digest.nullable(),
  inputDigest: Digest.describe('sha256 of the canonical JSON of the frame'),
  features: z.array(z.number()).nullable().describe('the vector the model saw, in feature-set order'),
  latencyMs: z.number().nonnegative().nullable(),
  shadow: z
    .strictObject({
      packageDigest: Digest,
      value: z.number().nullable(),
      verdict: z.enum(['pass', 'fail', 'undecided', 'fallback']),
    })
    .nullable()
    .optional()
    .describe('what the champion would have said to the same frame, while another package proves itself'),
});
export type DecisionRecord = z.infer<typeof DecisionRecord>;

/**
 * First line of one uploaded object of decisions (NDJSON, one record a line, consecutive sequences).
 * `merkleRoot` over sha256(0x00 || canonical line) leaves and sha256(0x01 || left || right) nodes (RFC 6962 §2.1).
 */
export const DecisionObjectHeader = z.strictObject({
  schema: z.literal('decision-object/1'),
  site: SiteId,
  device: DeviceId,
  boot: Slug,
  firstSequence: z.int().positive(),
  lastSequence: z.int().positive(),
  count: z.int().positive(),
  merkleRoot: Digest,
  packageDigests: z.array(Digest).describe('every package that decided in this object'),
});
export type DecisionObjectHeader = z.infer<typeof DecisionObjectHeader>;

/**
 * Where a device uploads decisions, or, without one, how the places of all devices of a site begin. A place is the
 * device's own: its role may write below the name of its thing and nowhere else.
 */
export const decisionsPrefix = (stage: string, site: string, device?: string): string =>
  `inbox/decisions/${thingName(stage, site, device ?? '')}${device === undefined ? '' : '/'}`;

/** The uploaded file: first line the header, then `count` decision lines. */
export const decisionObjectKey = (
  stage: string,
  h: Pick<DecisionObjectHeader, 'site' | 'device' | 'boot' | 'firstSequence' | 'lastSequence'>,
): string =>
  `${decisionsPrefix(stage, h.site, h.device)}${h.boot}-${String(h.firstSequence).padStart(10, '0')}-${String(h.lastSequence).padStart(10, '0')}.ndjson`;
