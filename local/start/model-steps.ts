import { join } from 'node:path';
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { parseAs } from '#core/contracts/errors.ts';
import type { ReleaseRecord, ReleaseRequest } from '#core/contracts/release.ts';
import { ModelLineRecord } from '#core/contracts/retrain.ts';
import { StartError } from './errors.ts';
import { followRelease, followRetrain } from './follow.ts';
import { cli, type Plant, type Reported, reportsOf, short } from './plant-context.ts';
import type { RegistryView } from './registry.ts';
import { awsLog } from './wait.ts';

export type Champion = NonNullable<ModelLineRecord['champion']>;

/** The champion of the plant's model line; null while it has none. */
export const championOf = async ({ registry, modelLine }: Plant): Promise<ModelLineRecord['champion']> => {
  const body = await registry.body('model-line', modelLine);
  if (body === null)
    throw new StartError(`model line ${modelLine} is not in the registry`, 'this is a fault: publish made it');
  return parseAs(ModelLineRecord, body, `model line ${modelLine}`).champion;
};

/**
 * Does a device of the line serve another package than its champion? Also one that the registry knows nothing of: a ledger
 * that lost its end lost the record of a package that devices have.
 * @param known registry record of that package; null when there is none.
 */
export const isAstray = (
  { modelLine, serving }: Pick<Reported, 'modelLine' | 'serving'>,
  line: string,
  champion: string,
  known: Readonly<Record<string, unknown>> | null,
): boolean =>
  serving !== null &&
  serving.packageDigest !== champion &&
  modelLine === line &&
  (known === null || known['modelLine'] === line);

/** Follows a release to its end. @throws {StartError} when that is another than released. */
const released = async (plant: Plant, of: Parameters<typeof followRelease>[1]): Promise<ReleaseRecord> => {
  const release = await followRelease(plant, of, 600);
  if (release.status === 'released') return release;
  throw new StartError(
    `release ${release.releaseId} was ${release.status}: ${release.reason}`,
    `look at each ring with "npx millwright explain ${release.releaseId}"`,
  );
};

/** A release that was cut off leaves its package on some devices: the champion goes to them again. */
export const bringBack = async (plant: Plant, champion: Champion): Promise<void> => {
  const { teller, registry, clients, names, modelLine } = plant;
  const astray: string[] = [];
  for (const report of await reportsOf(plant)) {
    const known = report.serving === null ? null : await registry.body('package', report.serving.packageDigest);
    if (isAstray(report, modelLine, champion.packageDigest, known)) astray.push(report.device);
  }
  if (astray.length === 0) return;
  await teller.step('back to the champion', async () => {
    const releaseId = `back-${champion.releaseNumber}-${plant.now().replace(/\D/g, '').slice(0, 14)}`;
    const request: ReleaseRequest = {
      schema: 'release-request/1',
      releaseId,
      modelLine,
      site: modelLine.split('/')[1] as string,
      packageDigest: champion.packageDigest,
      packagePrefix: champion.packagePrefix,
      releaseNumber: champion.releaseNumber,
      requestedBy: 'local-plant',
      reason: `a release was cut off; ${astray.join(', ')} still served its package`,
      revert: true,
    };
    const stateMachineArn = names.release.arn;
    await clients.sfn.send(
      new StartExecutionCommand({ stateMachineArn, name: releaseId, input: JSON.stringify(request) }),
    );
    await released(plant, { packageDigest: champion.packageDigest, releaseId });
    return [`${astray.join(', ')} served the package of a release that was cut off`, null];
  });
};

/** Asks for a model, follows its training and its release. @returns the digest of the package that serves. */
export const trainAndRelease = async (plant: Plant, isFirst: boolean, onTrained: () => void): Promise<string> => {
  const { teller, stateDir, registry, modelLine } = plant;
  const record = await teller.step('training', async () => {
    const { requestId } = await cli<{ requestId: string }>(
      plant,
      'retrain',
      'retrain',
      modelLine,
      '--cause',
      isFirst ? 'first' : 'person',
      '--reason',
      isFirst ? 'the first model of this plant' : 'asked for with --retrain',
    );
    const ended = await followRetrain(plant, requestId, 900);
    if (ended.status !== 'candidate' || ended.packageDigest === null)
      throw new StartError(
        `the retrain was ${ended.status} at ${ended.step}: ${ended.detail}`,
        `the champion, if there is one, goes on serving; look at it with "npx millwright explain ${requestId}"`,
        // What a job printed is in a log of its own.
        ['Train', 'Quantize'].includes(ended.step) ? join(stateDir, 'logs', 'sagemaker') : awsLog(plant),
      );
    return [`${short(ended.packageDigest)}: ${await rmseOf(registry, ended.packageDigest)}`, ended];
  });
  const digest = record.packageDigest as string;
  onTrained();
  await teller.step('release', async () => {
    const release = await released(plant, { packageDigest: digest });
    const adopted = release.waves.flatMap((w) => w.devices).filter((d) => d.status === 'adopted').length;
    return [
      `${release.componentName.replace('millwright.', '')} ${release.componentVersion}, ${release.waves.length} rings, ${adopted} devices`,
      null,
    ];
  });
  return digest;
};

/** What the variants of a package reached on sealed runs. */
const rmseOf = async (registry: RegistryView, packageDigest: string): Promise<string> => {
  const variants = (await registry.body('package', packageDigest))?.['variants'] as
    | readonly { name: string; testRmse: number; admitted: boolean }[]
    | undefined;
  return (variants ?? [])
    .map((v) => `RMSE ${v.testRmse.toFixed(2)} ${v.name}${v.admitted ? '' : ' (not admitted)'}`)
    .join(', ')
    .concat(' on sealed runs');
};
