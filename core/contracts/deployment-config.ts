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
});

/** One stage of the platform: the whole deployment config that `bin/app.ts` reads. Unknown keys are refused. */
export const DeploymentConfig = z.strictObject({
  schema: z.literal('deployment/1'),
  stage: Slug.max(16),
  local: z.boolean().describe('true only for the local plant: leaves out what the local AWS lacks'),
  planes: z.record(PlaneName, Plane),
  sites: z.array(Site).min(1),
  data: z.strictObject({
    destroy: z.boolean(),
    confirmDestroy: z.string().describe('must equal the stage name, or data is kept'),
    evidenceRetentionDays: z.int().positive(),
  }),
  notifications: z.strictObject({ ownerEmail: z.email().nullable() }),
  training: z.strictObject({ instanceType: z.string().min(1), processingInstanceType: z.string().min(1) }),
});
export type DeploymentConfig = z.infer<typeof DeploymentConfig>;
