import { z } from 'zod';
import type { LedgerCommand } from '#core/contracts/ledger.ts';
import { Actor, Digest, Instant, SemVer, Slug } from '#core/contracts/primitives.ts';
import { ReleaseRecord, ReleaseRequest } from '#core/contracts/release.ts';
import { RolloutPolicy } from '#core/contracts/use-case.ts';
import { commandIdOf } from '#core/lineage/command-id.ts';
import { clip } from './retrain-run.ts';

export const ReleaseRing = z.strictObject({ ring: z.int().nonnegative(), deviceClass: Slug, thingGroup: z.string() });
export type ReleaseRing = z.infer<typeof ReleaseRing>;

/** Answer of `approve-release` prepare; every later step gets it as `plan`. */
export const ReleasePlan = z.strictObject({
  execution: z.string(),
  executionId: z.string(),
  startedAt: Instant,
  request: ReleaseRequest,
  componentName: z.string(),
  componentVersion: SemVer,
  policy: RolloutPolicy,
  pollSeconds: z.int().positive(),
  shadow: z
    .strictObject({
      champion: Digest,
      expected: z.number().min(0).max(1).nullable(),
      differsOn: z.array(z.string()),
    })
    .nullable()
    .default(null),
  /** Whether the package becomes the champion of its line once it is released. */
  crowns: z.boolean().default(true),
  rings: z.array(ReleaseRing).min(1),
});
export type ReleasePlan = z.infer<typeof ReleasePlan>;

export const Approval = z.strictObject({ approvedBy: Actor, reason: z.string() });

/** Answer of `deploy-ring`. */
export const RingDeployment = z.strictObject({ deploymentId: z.string().nullable(), deployedAt: Instant });
export type RingDeployment = z.infer<typeof RingDeployment>;

/** Items of the fleet table: the newest report of each device and line, and what a release did to each ring. */
export const fleetKeys = {
  report: (site: string, device: string, modelLine: string) => ({
    pk: `DEVICE#${site}/${device}`,
    sk: `LINE#${modelLine}`,
  }),
  approval: (releaseId: string) => ({ pk: `RELEASE#${releaseId}`, sk: 'APPROVAL' }),
  ring: (releaseId: string, ring: number, deviceClass: string) => ({
    pk: `RELEASE#${releaseId}`,
    sk: `RING#${String(ring).padStart(4, '0')}#${deviceClass}`,
  }),
  ringPrefix: 'RING#',
} as const;

/** The release's record as a step knows it. */
export const releaseRecord = (
  plan: Pick<ReleasePlan, 'request' | 'startedAt' | 'executionId' | 'componentName' | 'componentVersion'>,
  more: Pick<ReleaseRecord, 'approvedBy' | 'status' | 'reason'> &
    Partial<Pick<ReleaseRecord, 'finishedAt' | 'crowned' | 'waves' | 'notBack'>>,
): ReleaseRecord =>
  ReleaseRecord.parse({
    schema: 'release/1',
    releaseId: plan.request.releaseId,
    execution: plan.executionId,
    modelLine: plan.request.modelLine,
    site: plan.request.site,
    packageDigest: plan.request.packageDigest,
    componentName: plan.componentName,
    componentVersion: plan.componentVersion,
    requestedBy: plan.request.requestedBy,
    startedAt: plan.startedAt,
    finishedAt: null,
    waves: [],
    ...more,
  });

/** A ledger command of one step of a release; the same execution and step give the same command. */
export const releaseCommand = (
  plan: Pick<ReleasePlan, 'execution' | 'executionId' | 'request'>,
  step: string,
  command: Pick<LedgerCommand, 'record'> &
    Partial<Pick<LedgerCommand, 'edges' | 'announce' | 'expectVersion' | 'reason'>>,
): LedgerCommand => ({
  schema: 'ledger-command/1',
  commandId: commandIdOf('release', plan.execution, step),
  site: plan.request.site,
  actor: clip(plan.executionId, 256),
  reason: clip(plan.request.reason),
  edges: [],
  ...command,
});
