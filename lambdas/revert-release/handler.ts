import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { nodeRef } from '#core/contracts/ledger.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { composeRevert, placedPackage } from '#core/policy/compose-deployment.ts';
import { planRollout } from '#core/policy/rollout.ts';
import { judgeBack } from '#core/policy/wave.ts';
import { TryAgain } from '../shared/errors.ts';
import type { FleetTable } from '../shared/fleet-table.ts';
import type { FleetControl } from '../shared/greengrass.ts';
import type { Ledger } from '../shared/ledger-client.ts';
import { ReleasePlan, releaseCommand } from '../shared/release-run.ts';
import { lookAtRing } from '../shared/ring-devices.ts';

export interface Deps {
  readonly fleet: Pick<FleetControl, 'deploy' | 'things' | 'statusOn'>;
  readonly table: Pick<FleetTable, 'rings' | 'putRing' | 'report'>;
  readonly ledger: Ledger;
  readonly stage: string;
  readonly now: () => string;
}

const Input = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('revert'), plan: ReleasePlan }),
  z.strictObject({ op: z.literal('look'), plan: ReleasePlan }),
]);

/**
 * Way back of a release. `revert` brings every ring that it changed back to what it had, the widest first; the runtime's
 * configuration names the package that was taken back and the one it may go back to. One ring that cannot be reverted
 * does not keep the others from it. `look` says whether the devices have confirmed it; who has not is kept with the ring.
 * @throws {TryAgain} naming the rings that could not be reverted, after all were tried: those that were are left alone then.
 */
export const makeHandler = (deps: Deps) => {
  const revert = async (plan: ReleasePlan): Promise<{ reverted: number }> => {
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
      const item = rings.find((r) => r.thingGroup === step.thingGroup);
      if (item === undefined) continue;
      try {
        if (item.revert === undefined) {
          const back = placedPackage(step.composition, plan.componentName);
          const components = composeRevert(
            step.composition,
            plan.componentName,
            request.packageDigest,
            plan.shadow !== null,
          );
          const revertedAt = deps.now();
          const deploymentId = await deps.fleet.deploy({
            thingGroup: step.thingGroup,
            name: `${request.releaseId} reverted`,
            components,
            clientToken: digestOf({ revert: request.releaseId, group: step.thingGroup }).slice('sha256:'.length),
            tags: { 'millwright:release': request.releaseId, 'millwright:revert': 'true' },
            // A device that cannot go all the way back must not return to what was taken back.
            onFailure: 'DO_NOTHING',
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
          await deps.table.putRing(request.releaseId, {
            ...item,
            revert: { deploymentId, revertedAt, back, notBack: [] },
          });
        }
        reverted += 1;
      } catch (error) {
        failures.push(`${step.thingGroup}: ${(error as Error).message}`);
      }
    }
    if (failures.length > 0)
      throw new TryAgain(
        `release ${request.releaseId}: ${failures.length} rings could not be reverted: ${failures.join('; ')}`,
      );
    return { reverted };
  };

  const look = async (plan: ReleasePlan): Promise<{ verdict: 'wait' | 'done'; notBack: number }> => {
    const { request } = plan;
    const verdicts: string[] = [];
    let count = 0;
    for (const item of await deps.table.rings(request.releaseId)) {
      if (item.revert === undefined) continue;
      const { deploymentId, revertedAt, back } = item.revert;
      const { verdict, notBack } = judgeBack({
        packageDigest: request.packageDigest,
        back,
        revertedAt,
        now: deps.now(),
        withinSeconds: plan.policy.waveTimeoutSeconds,
        devices: await lookAtRing(deps, {
          thingGroup: item.thingGroup,
          site: request.site,
          modelLine: request.modelLine,
          deploymentId,
        }),
      });
      await deps.table.putRing(request.releaseId, { ...item, revert: { ...item.revert, notBack } });
      verdicts.push(verdict);
      count += notBack.length;
    }
    return { verdict: verdicts.includes('wait') ? 'wait' : 'done', notBack: count };
  };

  return async (event: unknown) => {
    const { op, plan } = parseAs(Input, event, 'input of revert-release');
    return op === 'revert' ? revert(plan) : look(plan);
  };
};
