import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { configure, placedPackage } from '#core/policy/compose-deployment.ts';
import { planRollout } from '#core/policy/rollout.ts';
import type { FleetTable } from '../shared/fleet-table.ts';
import type { FleetControl } from '../shared/greengrass.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { ReleasePlan, releaseCommand } from '../shared/release-run.ts';

export interface Deps {
  readonly fleet: Pick<FleetControl, 'deploy'>;
  readonly table: Pick<FleetTable, 'rings'>;
  readonly ledger: Ledger;
}

const Input = z.strictObject({ plan: ReleasePlan });

/**
 * Brings every ring that this release changed back to what it had, the widest first. The runtime's configuration names
 * the one digest it may go back to. One ring that cannot be reverted does not keep the others from it.
 * @throws {Error} naming the rings that could not be reverted, after all were tried.
 */
export const makeHandler =
  (deps: Deps) =>
  async (event: unknown): Promise<{ reverted: number }> => {
    const { plan } = parseAs(Input, event, 'input of revert-release');
    const { request } = plan;
    const rings = await deps.table.rings(request.releaseId);
    const steps = planRollout(
      // A ring whose deployment was asked for and never confirmed may have it: it is reverted too.
      rings.map((r) => ({
        ...r,
        placed: r.deploymentId !== null || Object.keys(r.previous).length > 0,
      })),
      'as-before',
    );
    const failures: string[] = [];
    let reverted = 0;
    for (const step of steps) {
      if (step.do !== 'restore') continue;
      try {
        const back = placedPackage(step.composition, plan.componentName);
        const components = configure(step.composition, 'millwright.runtime', { revertTo: back ?? '' });
        const deploymentId = await deps.fleet.deploy({
          thingGroup: step.thingGroup,
          name: `${request.releaseId} reverted`,
          components,
          clientToken: digestOf({ revert: request.releaseId, group: step.thingGroup }).slice('sha256:'.length),
          tags: { 'millwright:release': request.releaseId, 'millwright:revert': 'true' },
        });
        await deps.ledger.write([
          releaseCommand(plan, `revert/${step.thingGroup}`, {
            record: {
              class: 'deployment',
              id: deploymentId,
              body: {
                schema: 'deployment-record/1',
                site: request.site,
                thingGroup: step.thingGroup,
                releaseId: request.releaseId,
                packageDigest: back,
                revert: true,
                components: Object.fromEntries(Object.entries(components).map(([n, c]) => [n, c.componentVersion])),
              },
            },
            edges: [
              {
                from: nodeRef('deployment', deploymentId),
                rel: 'released-as',
                to: nodeRef('release', request.releaseId),
              },
            ],
          }),
        ]);
        reverted += 1;
      } catch (error) {
        failures.push(`${step.thingGroup}: ${(error as Error).message}`);
      }
    }
    if (failures.length > 0)
      throw new Error(
        `release ${request.releaseId}: ${failures.length} rings could not be reverted: ${failures.join('; ')}`,
      );
    return { reverted };
  };
