import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { type DecisionRecord, decisionsPrefix } from '#core/contracts/decision.ts';
import { inParallel } from '#core/policy/in-parallel.ts';
import type { AnsweredFrame } from '../plant/machines.ts';
import { StartError } from './errors.ts';
import { type Plant, STAGE } from './plant-context.ts';
import { readDecisions } from './proof.ts';
import { until, untilRegistered } from './wait.ts';

/** Objects fetched at a time: a connection each. */
const AT_A_TIME = 25;

/** Decisions that devices of the site uploaded since an instant (ms since the epoch). */
export const decisionsOf = async ({ clients, names, site }: Plant, after: number): Promise<DecisionRecord[]> => {
  const found: DecisionRecord[] = [];
  for (let token: string | undefined; ; ) {
    const page = await clients.s3.send(
      new ListObjectsV2Command({
        Bucket: names.lakeBucket,
        Prefix: decisionsPrefix(STAGE, site),
        ...(token ? { ContinuationToken: token } : {}),
      }),
    );
    const fresh = (page.Contents ?? []).filter((o) => (o.LastModified?.getTime() ?? 0) >= after - 1000);
    const read = await inParallel(
      fresh,
      async ({ Key }) => {
        const object = await clients.s3.send(new GetObjectCommand({ Bucket: names.lakeBucket, Key }));
        return readDecisions((await object.Body?.transformToString()) ?? '', Key ?? '');
      },
      AT_A_TIME,
    );
    found.push(...read.flat());
    token = page.NextContinuationToken;
    if (token === undefined) return found;
  }
};

/** The first decision of this package on a device that reached the lake in this session. */
export const modelDecision = async (
  plant: Plant,
  packageDigest: string,
  heard: () => readonly AnsweredFrame[],
): Promise<DecisionRecord> => {
  const { signal, stateDir } = plant;
  const since = Date.parse(plant.startedAt);
  return until(
    async () => {
      const decisions = await decisionsOf(plant, since);
      return decisions.find((d) => d.packageDigest === packageDigest && d.value !== null) ?? null;
    },
    {
      signal,
      everyMs: 1000,
      seconds: 90,
      late: () =>
        new StartError(
          `no decision of package ${packageDigest} reached the lake within 90 s; machines last heard: ${heard()
            .map((a) => `${a.machine} ${a.verdict}`)
            .join(', ')}`,
          'look at "npx millwright devices", and at the logs of the devices',
          join(stateDir, 'devices'),
        ),
    },
  );
};

/** Waits until enough decisions of the package are registered, that of this session among them. */
export const decisionsRecorded = async (
  plant: Plant,
  first: DecisionRecord,
  packageDigest: string,
  wanted: number,
): Promise<number> => {
  const { registry, teller } = plant;
  let count = 0;
  await untilRegistered(
    plant,
    async () => {
      const objects = await registry.bodies('decision-object');
      count = objects
        .filter((o) => (o['packageDigests'] as string[] | undefined)?.includes(packageDigest))
        .reduce((sum, o) => sum + Number(o['count']), 0);
      const holdsFirst = objects.some(
        (o) =>
          o['device'] === first.device &&
          o['boot'] === first.boot &&
          Number(o['firstSequence']) <= first.sequence &&
          first.sequence <= Number(o['lastSequence']),
      );
      teller.progress(
        count < wanted
          ? `decisions in the lake: ${count} of ${wanted}`
          : `decisions in the lake: ${count}, not yet ${first.id}`,
      );
      return count >= wanted && holdsFirst;
    },
    { by: 'record-decisions', seconds: 180, late: () => `${count} of ${wanted} decisions were registered` },
  );
  return count;
};
