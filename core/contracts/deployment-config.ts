import { z } from 'zod';
import { SiteId, Slug } from './primitives.ts';

export const PlaneName = z.enum(['governance', 'data', 'ml', 'plant', 'access']);
export type PlaneName = z.infer<typeof PlaneName>;

export const Plane = z.strictObject({
  account: z.string().regex(/^\d{12}$/, 'expected a 12-digit AWS account id'),
  region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'expected a region like eu-central-1'),
});
export type Plane = z.infer<typeof Plane>;

export const Site = z.strictObject({
  id: SiteId,
  title: z.string().min(1),
  rings: z
    .array(z.strictObject({ ring: z.int().nonnegative(), deviceClass: Slug }))
    .min(1)
    .describe('ring groups of the site: site × device class × ring'),
  notifyEmail: z.email().optional().describe('who in the plant is mailed each alert, after one confirmation'),
});
export type Site = z.infer<typeof Site>;

/**
 * Names of things and ring groups are joined by hyphens (core/contracts/release.ts): device `b-x` of site `a` and device
 * `x` of site `a-b` would be one thing, with one certificate's rights.
 */
const refuseNamesThatCollide = (sites: readonly Site[], context: z.RefinementCtx): void => {
  for (const [i, { id }] of sites.entries()) {
    const other = sites.find((s, j) => (j < i && s.id === id) || s.id.startsWith(`${id}-`));
    if (other === undefined) continue;
    context.addIssue({
      code: 'custom',
      path: [i, 'id'],
      message:
        other.id === id
          ? `expected ids that differ, "${id}" is there twice; rename one`
          : `expected an id that no other one begins with, "${other.id}" begins with "${id}-": their devices and ring groups could have the same names; rename one`,
    });
  }
};

/** How long objects of one class stay where; null = for ever. */
const ClassRetention = z
  .strictObject({
    cheaperAfterDays: z
      .int()
      .min(1)
      .nullable()
      .default(null)
      .describe('to S3 Glacier Instant Retrieval, which queries still read'),
    expireAfterDays: z.int().min(1).nullable().default(null).describe('then they are gone, versions before them too'),
  })
  .refine(
    (r) => r.cheaperAfterDays === null || r.expireAfterDays === null || r.cheaperAfterDays < r.expireAfterDays,
    'expected cheaperAfterDays before expireAfterDays',
  );

const KEEP = { cheaperAfterDays: null, expireAfterDays: null };
const KEPT = { record: KEEP, raw: { ...KEEP, cheaperAfterDays: 90 }, working: KEEP, quarantine: KEEP };
const Retention = z.strictObject({
  record: ClassRetention.default(KEPT.record).describe('decisions, plant events, findings: what is proved by'),
  raw: ClassRetention.default(KEPT.raw).describe('frames and observations'),
  working: ClassRetention.default(KEPT.working).describe('what can be computed again: features, counts of them'),
  quarantine: ClassRetention.default(KEPT.quarantine),
});
export type Retention = z.infer<typeof Retention>;

/** One stage of the platform: the whole deployment config that `bin/app.ts` reads. Unknown keys are refused. */
export const DeploymentConfig = z.strictObject({
  schema: z.literal('deployment/1'),
  stage: z
    .string()
    .regex(
      /^[a-z][a-z0-9]{0,15}$/,
      'expected a lower-case letter and up to 15 lower-case letters and digits; a hyphen would let two stages share names',
    ),
  local: z.boolean().describe('true only for the local plant: leaves out what the local AWS lacks'),
  planes: z.record(PlaneName, Plane),
  sites: z.array(Site).min(1).superRefine(refuseNamesThatCollide),
  data: z.strictObject({
    destroy: z.boolean(),
    confirmDestroy: z.string().describe('must equal the stage name, or data is kept'),
    evidenceRetentionDays: z.int().positive(),
    retention: Retention.default(KEPT).describe(
      'of objects in the lake by their class (docs/lake.md); without it nothing expires',
    ),
  }),
  notifications: z.strictObject({ ownerEmail: z.email().nullable() }),
  retrain: z
    .strictObject({ cooldownSeconds: z.int().nonnegative(), debounceSeconds: z.int().nonnegative() })
    .default({ cooldownSeconds: 3600, debounceSeconds: 300 })
    .describe('of requests by drift and schedule; a person overrides them'),
  health: z
    .strictObject({
      silentDeviceMinutes: z.int().positive(),
      checkpointMinutes: z.int().positive(),
      retrainHours: z.int().positive(),
      releaseHours: z.int().positive(),
      waveHours: z.int().positive(),
    })
    .default({ silentDeviceMinutes: 30, checkpointMinutes: 150, retrainHours: 10, releaseHours: 192, waveHours: 48 })
    .describe(
      'from when on the owners are told: of devices that are silent, of checkpoints and workflows that are late',
    ),
  featureStore: z
    .strictObject({
      onUpload: z
        .boolean()
        .describe('compute rows as frames are registered; false = only when a backfill is asked for'),
    })
    .default({ onUpload: true })
    .describe(
      'the offline store; on upload it costs a call of a function and a few requests to S3 for each batch of uploads',
    ),
  training: z.strictObject({ instanceType: z.string().min(1), processingInstanceType: z.string().min(1) }),
});
export type DeploymentConfig = z.infer<typeof DeploymentConfig>;
