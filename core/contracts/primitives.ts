import { z } from 'zod';

/** Content address of bytes or of a canonical JSON document (RFC 8785): `sha256:` and 64 hex digits. */
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'expected sha256:<64 hex digits>');
export type Digest = z.infer<typeof Digest>;

/** UTC instant, ISO 8601 with milliseconds, always `Z`. */
export const Instant = z.iso.datetime({ precision: 3, message: 'expected UTC like 2026-01-31T08:00:00.000Z' });
export type Instant = z.infer<typeof Instant>;

/** Lower-case name that is safe in ARNs, S3 keys, MQTT topics and thing names. */
export const Slug = z
  .string()
  .min(1)
  .max(48)
  .regex(/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/, 'expected lower-case letters, digits and inner hyphens');
export type Slug = z.infer<typeof Slug>;

/** Stable id of a machine; not its path in the plant. */
export const AssetId = Slug;
export const SiteId = Slug;
export const DeviceId = Slug;
export const UseCaseId = Slug;

/** `useCase/scope`: what has one champion. */
export const ModelLineId = z
  .string()
  .regex(/^[a-z0-9-]+\/[a-z0-9-]+$/, 'expected <use case>/<scope>, for example predictive-maintenance/plant-a');
export type ModelLineId = z.infer<typeof ModelLineId>;

export const SemVer = z.string().regex(/^\d{1,6}\.\d{1,6}\.\d{1,6}$/, 'expected a version like 1.0.12');

/** Who did something: a person, a role session or a state machine execution. */
export const Actor = z.string().min(1).max(256);

/** Place of an object in S3; `versionId` pins the bytes, `digest` proves them. */
export const ObjectRef = z.strictObject({
  bucket: z.string().min(3),
  key: z.string().min(1),
  versionId: z.string().nullable(),
  digest: Digest,
  bytes: z.int().nonnegative(),
});
export type ObjectRef = z.infer<typeof ObjectRef>;
