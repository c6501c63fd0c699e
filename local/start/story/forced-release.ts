import { ListInstalledComponentsCommand } from '@aws-sdk/client-greengrassv2';
import { modelComponentName, type ReleaseRecord } from '#core/contracts/release.ts';
import { StartError } from '../errors.ts';
import { followRelease, historyOf, stagesOf } from '../follow.ts';
import type { Champion } from '../model-steps.ts';
import { cli, type Plant, reportsOf } from '../plant-context.ts';
import { until } from '../wait.ts';

/** Notes on which devices Greengrass reports the component of a version as running, until it is stopped. */
const watchGreengrass = (
  { clients, modelLine }: Plant,
  things: readonly string[],
  version: string,
): { readonly running: ReadonlySet<string>; readonly stop: () => Promise<void> } => {
  const running = new Set<string>();
  let on = true;
  const look = async (thing: string): Promise<void> => {
    const { installedComponents = [] } = await clients.greengrass.send(
      new ListInstalledComponentsCommand({ coreDeviceThingName: thing, topologyFilter: 'ALL' }),
    );
    const own = installedComponents.find((c) => c.componentName === modelComponentName(modelLine));
    if (own?.componentVersion === version && ['RUNNING', 'FINISHED'].includes(own.lifecycleState ?? ''))
      running.add(thing);
  };
  const loop = (async () => {
    while (on) {
      await Promise.allSettled(things.map(look));
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  return {
    running,
    async stop() {
      on = false;
      await loop;
    },
  };
};

export interface ForcedEnd {
  readonly release: ReleaseRecord;
  /** Devices on which Greengrass reported its component as running. */
  readonly running: ReadonlySet<string>;
  /** From the change of the first ring until every changed device was as before. */
  readonly seconds: number | null;
}

/** Forces a package onto rings as an operator does, and follows its release to its end. */
export const forceRelease = async (
  plant: Plant,
  packageDigest: string,
  rings: readonly { readonly ring: number; readonly thing: string }[],
): Promise<ForcedEnd> => {
  const { clients, registry } = plant;
  const body = await registry.body('package', packageDigest);
  const version = `1.0.${body?.['releaseNumber']}`;
  const greengrass = watchGreengrass(
    plant,
    rings.map((r) => r.thing),
    version,
  );
  try {
    const { releaseId } = await cli<{ releaseId: string }>(
      plant,
      'force',
      'releases',
      'start',
      '--package',
      packageDigest,
      '--rings',
      [...new Set(rings.map((r) => r.ring))].join(','),
      '--force',
      '--reason',
      'the night shift could not wait for an evaluation',
    );
    const release = await followRelease(plant, { packageDigest, releaseId }, 300);
    const stages = stagesOf(await historyOf(clients.sfn, release.execution));
    const from = stages.find((s) => s.name === 'Rings')?.from;
    const to = stages.findLast((s) => s.name === 'LookBack')?.to;
    return { release, running: greengrass.running, seconds: from === undefined || !to ? null : (to - from) / 1000 };
  } finally {
    await greengrass.stop();
  }
};

/**
 * Ledger, reports and Greengrass agree that every device is with the champion.
 * @throws {StartError} naming the devices that are not, after a minute.
 */
export const allWithChampion = async (plant: Plant, champion: Champion): Promise<number> => {
  const { registry, modelLine, signal } = plant;
  let astray: string[] = [];
  let count = 0;
  await until(
    async () => {
      const line = await registry.body('model-line', modelLine);
      const named = (line?.['champion'] as Champion | null)?.packageDigest;
      const devices = await reportsOf(plant);
      count = devices.length;
      astray = [
        ...(named === champion.packageDigest ? [] : [`the ledger names ${named}`]),
        ...devices.flatMap((d) =>
          d.serving?.packageDigest === champion.packageDigest
            ? []
            : [`${d.device} serves ${d.serving?.packageDigest ?? 'no package'}`],
        ),
      ];
      return astray.length === 0 ? true : null;
    },
    {
      signal,
      everyMs: 1000,
      seconds: 60,
      late: () =>
        new StartError(
          `not every device is with the champion ${champion.packageDigest}: ${astray.join('; ')}`,
          'look at "npx millwright devices" and "npx millwright releases"',
        ),
    },
  );
  return count;
};
