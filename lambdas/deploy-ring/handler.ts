import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { composeDeployment } from '#core/policy/compose-deployment.ts';
import { Refused } from '../shared/errors.ts';
import type { FleetTable, RingItem } from '../shared/fleet-table.ts';
import type { FleetControl } from '../shared/greengrass.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { ReleasePlan, ReleaseRing, type RingDeployment, releaseCommand } from '../shared/release-run.ts';

export interface Deps {
  readonly fleet: Pick<FleetControl, 'current' | 'deploy' | 'things'>;
  readonly table: Pick<FleetTable, 'ring' | 'putRing'>;
  readonly ledger: Ledger;
  readonly now: () => string;
}

const Input = z.strictObject({ plan: ReleasePlan, ring: ReleaseRing });

/**
 * Places the weights component on one ring, keeping everything else that is there. What was there before is kept for
 * the way back, before anything is changed. A ring that was never commissioned, or has no device, is left alone.
 * @throws {Refused} when the ring has components but no runtime.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<RingDeployment> => {
    const { plan, ring } = parseAs(Input, event, 'input of deploy-ring');
    const { request } = plan;
    const at = { ring: ring.ring, deviceClass: ring.deviceClass, thingGroup: ring.thingGroup };
    const known = await deps.table.ring(request.releaseId, ring.ring, ring.deviceClass);
    if (known !== null && known.deploymentId !== null)
      return { deploymentId: known.deploymentId, deployedAt: known.deployedAt };
    const deployedAt = known?.deployedAt ?? deps.now();
    const current = await deps.fleet.current(ring.thingGroup);
    if (current === null || (await deps.fleet.things(ring.thingGroup)).length === 0) {
      await deps.table.putRing(request.releaseId, {
        ...at,
        previous: {},
        deploymentId: null,
        deployedAt,
        wave: null,
      });
      return { deploymentId: null, deployedAt };
    }
    // A try that died after deploying must not take its own deployment for what was there before.
    const previous = known !== null && Object.keys(known.previous).length > 0 ? known.previous : current.components;
    let components: ReturnType<typeof composeDeployment>;
    try {
      components = composeDeployment(
        previous,
        {
          name: plan.componentName,
          version: plan.componentVersion,
          configuration: { packageDigest: request.packageDigest, modelLine: request.modelLine },
        },
        request.revert ? request.packageDigest : '',
        plan.shadow === null
          ? null
          : {
              champion: plan.shadow.champion,
              tolerance: plan.policy.shadow.tolerance,
              batch: plan.policy.shadow.batch,
              seconds: plan.policy.waveTimeoutSeconds,
            },
      );
    } catch (error) {
      throw new Refused(`ring ${ring.thingGroup}: ${(error as Error).message}`);
    }
    const item: RingItem = { ...at, previous, deploymentId: null, deployedAt, wave: null };
    await deps.table.putRing(request.releaseId, item);
    const deploymentId = await deps.fleet.deploy({
      thingGroup: ring.thingGroup,
      name: `${request.releaseId} ring ${ring.ring}`,
      components,
      clientToken: digestOf({ release: request.releaseId, group: ring.thingGroup }).slice('sha256:'.length),
      tags: { 'millwright:release': request.releaseId, 'millwright:package': request.packageDigest },
      onFailure: 'ROLLBACK',
    });
    await deps.ledger.write([
      releaseCommand(plan, `deployment/${ring.thingGroup}`, {
        record: {
          class: 'deployment',
          id: deploymentId,
          body: {
            schema: 'deployment-record/1',
            ...at,
            site: request.site,
            releaseId: request.releaseId,
            packageDigest: request.packageDigest,
            revert: false,
            components: Object.fromEntries(Object.entries(components).map(([n, c]) => [n, c.componentVersion])),
          },
        },
        edges: [
          { from: nodeRef('deployment', deploymentId), rel: 'released-as', to: nodeRef('release', request.releaseId) },
        ],
      }),
    ]);
    // Last: a try that finds the deployment here has nothing left to do.
    await deps.table.putRing(request.releaseId, { ...item, deploymentId });
    return { deploymentId, deployedAt };
  };
