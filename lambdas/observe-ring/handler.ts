import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import type { WaveResult } from '#core/contracts/release.ts';
import { judgeWave } from '#core/policy/wave.ts';
import type { FleetTable } from '../shared/fleet-table.ts';
import type { FleetControl } from '../shared/greengrass.ts';
import { ReleasePlan, ReleaseRing, RingDeployment } from '../shared/release-run.ts';
import { lookAtRing } from '../shared/ring-devices.ts';

export interface Deps {
  readonly fleet: Pick<FleetControl, 'things' | 'statusOn'>;
  readonly table: Pick<FleetTable, 'report' | 'ring' | 'putRing'>;
  readonly stage: string;
  readonly now: () => string;
}

const Input = z.strictObject({ plan: ReleasePlan, ring: ReleaseRing, deployment: RingDeployment });
/** Reasons told to the state machine; the whole result is in the fleet table. */
const REASONS_TOLD = 3;

/**
 * Looks at a ring: what its devices report and what Greengrass says of the deployment. The state machine gets the
 * verdict and a few reasons; the whole result is kept in the fleet table, since a ring may have many devices.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ verdict: WaveResult['verdict']; reasons: readonly string[] }> => {
    const { plan, ring, deployment } = parseAs(Input, event, 'input of observe-ring');
    const { request } = plan;
    const devices = await lookAtRing(deps, {
      thingGroup: ring.thingGroup,
      site: request.site,
      modelLine: request.modelLine,
      deploymentId: deployment.deploymentId,
    });
    const wave = judgeWave({
      ring: ring.ring,
      thingGroup: ring.thingGroup,
      deploymentId: deployment.deploymentId,
      packageDigest: request.packageDigest,
      policy: plan.policy,
      shadow: plan.shadow,
      deployedAt: deployment.deployedAt,
      now: deps.now(),
      devices,
    });
    const item = await deps.table.ring(request.releaseId, ring.ring, ring.deviceClass);
    if (item === null)
      throw new Error(
        `release ${request.releaseId} has nothing about ring ${ring.ring} in the fleet table; it was not deployed`,
      );
    await deps.table.putRing(request.releaseId, { ...item, wave });
    return { verdict: wave.verdict, reasons: wave.reasons.slice(0, REASONS_TOLD).map((r) => r.slice(0, 300)) };
  };
