import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import type { WaveResult } from '#core/contracts/release.ts';
import { thingName } from '#core/contracts/release.ts';
import { judgeWave, type WaveDevice } from '#core/policy/wave.ts';
import type { FleetTable } from '../shared/fleet-table.ts';
import type { FleetControl } from '../shared/greengrass.ts';
import { ReleasePlan, ReleaseRing, RingDeployment } from '../shared/release-run.ts';

export interface Deps {
  readonly fleet: Pick<FleetControl, 'things' | 'statusOn'>;
  readonly table: Pick<FleetTable, 'report' | 'ring' | 'putRing'>;
  readonly stage: string;
  readonly now: () => string;
}

const Input = z.strictObject({ plan: ReleasePlan, ring: ReleaseRing, deployment: RingDeployment });
/** Devices asked at a time: their reports and Greengrass are asked for each. */
const AT_A_TIME = 10;
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
    const prefix = thingName(deps.stage, request.site, '');
    const things = await deps.fleet.things(ring.thingGroup);
    const devices: WaveDevice[] = [];
    for (let i = 0; i < things.length; i += AT_A_TIME)
      devices.push(
        ...(await Promise.all(
          things.slice(i, i + AT_A_TIME).map(async (thing): Promise<WaveDevice> => {
            if (!thing.startsWith(prefix))
              throw new Error(
                `thing ${thing} is in group ${ring.thingGroup}, but is not of site ${request.site}; move it out`,
              );
            const device = thing.slice(prefix.length);
            const [report, status] = await Promise.all([
              deps.table.report(request.site, device, request.modelLine),
              deployment.deploymentId === null ? null : deps.fleet.statusOn(thing, deployment.deploymentId),
            ]);
            return {
              device,
              report,
              deploymentStatus: status?.status ?? null,
              ...(status === null || status.reason === '' ? {} : { deploymentReason: status.reason }),
            };
          }),
        )),
      );
    const wave = judgeWave({
      ring: ring.ring,
      thingGroup: ring.thingGroup,
      deploymentId: deployment.deploymentId,
      packageDigest: request.packageDigest,
      policy: plan.policy,
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
