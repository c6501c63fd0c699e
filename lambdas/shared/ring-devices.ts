import { thingName } from '#core/contracts/release.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { WaveDevice } from '#core/policy/wave.ts';
import type { FleetTable } from './fleet-table.ts';
import type { FleetControl } from './greengrass.ts';

/** Devices asked at a time: their reports and Greengrass are asked for each. */
const AT_A_TIME = 10;

/**
 * What is known of the devices of a ring: their newest reports, and how a deployment goes on them.
 * @param deploymentId deployment of the ring; null when there is none to ask about.
 * @throws {Error} when a thing of another site is in the group.
 */
export const lookAtRing = async (
  deps: {
    readonly fleet: Pick<FleetControl, 'things' | 'statusOn'>;
    readonly table: Pick<FleetTable, 'report'>;
    readonly stage: string;
  },
  ring: {
    readonly thingGroup: string;
    readonly site: string;
    readonly modelLine: string;
    readonly deploymentId: string | null;
  },
): Promise<WaveDevice[]> => {
  const { thingGroup, site, modelLine, deploymentId } = ring;
  const prefix = thingName(deps.stage, site, '');
  const things = await deps.fleet.things(thingGroup);
  return inParallel(
    things,
    async (thing): Promise<WaveDevice> => {
      if (!thing.startsWith(prefix))
        throw new Error(`thing ${thing} is in group ${thingGroup}, but is not of site ${site}; move it out`);
      const device = thing.slice(prefix.length);
      const [heard, status] = await Promise.all([
        deps.table.report(site, device, modelLine),
        deploymentId === null ? null : deps.fleet.statusOn(thing, deploymentId),
      ]);
      return {
        device,
        report: heard?.report ?? null,
        receivedAt: heard?.receivedAt ?? null,
        deploymentStatus: status?.status ?? null,
        ...(status === null || status.reason === '' ? {} : { deploymentReason: status.reason }),
      };
    },
    AT_A_TIME,
  );
};
