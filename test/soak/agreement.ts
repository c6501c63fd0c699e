import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetComponentCommand,
  GetDeploymentCommand,
  type GreengrassV2Client,
  paginateListDeployments,
} from '@aws-sdk/client-greengrassv2';
import { DeploymentConfig } from '../../core/contracts/deployment-config.ts';
import { platformNames } from '../../core/contracts/names.ts';
import { modelComponentName } from '../../core/contracts/release.ts';
import { clientsOf, REGION, readPorts, startServices } from '../../local/start/plant.ts';
import { registryView } from '../../local/start/registry.ts';
import { REPOSITORY } from '../local/aws/local-aws.ts';

/** What each place that names a package of the line says when a plant is at rest. */
export interface Agreement {
  readonly champion: string | null;
  /** Device → digest of the package in its store that serves. */
  readonly serving: Readonly<Record<string, string | null>>;
  /** Ring (thing group) → whether its newest deployment brings the champion. */
  readonly rings: Readonly<Record<string, boolean>>;
  /** Releases that are neither waiting for a person nor at an end. */
  readonly open: readonly string[];
}

const OVER = ['released', 'reverted', 'failed', 'refused', 'waiting-approval'];

/** Device → digest that serves, from the disk of each device. */
export const servingOn = (stateDir: string): Record<string, string | null> => {
  const devices = join(stateDir, 'devices');
  return Object.fromEntries(
    readdirSync(devices).map((device) => {
      const file = readdirSync(join(devices, device), { recursive: true, encoding: 'utf8' }).find((f) =>
        f.endsWith('store/serving.json'),
      );
      if (file === undefined) return [device, null];
      const state = JSON.parse(readFileSync(join(devices, device, file), 'utf8'));
      return [device, (state.serving?.packageDigest as string | undefined) ?? null];
    }),
  );
};

const ringsWith = async (
  greengrass: GreengrassV2Client,
  component: string,
  account: string,
  digest: string | null,
): Promise<Record<string, boolean>> => {
  const rings: Record<string, boolean> = {};
  for await (const page of paginateListDeployments({ client: greengrass }, { historyFilter: 'LATEST_ONLY' }))
    for (const { deploymentId, targetArn } of page.deployments ?? []) {
      if (targetArn?.includes(':thinggroup/') !== true) continue;
      const { components } = await greengrass.send(new GetDeploymentCommand({ deploymentId }));
      const version = components?.[component]?.componentVersion;
      if (version === undefined) continue;
      const arn = `arn:aws:greengrass:${REGION}:${account}:components:${component}:versions:${version}`;
      const { recipe } = await greengrass.send(new GetComponentCommand({ arn, recipeOutputFormat: 'JSON' }));
      rings[targetArn.split('/').at(-1) as string] =
        digest !== null &&
        Buffer.from(recipe ?? [])
          .toString('utf8')
          .includes(digest);
    }
  return rings;
};

/** Reads a plant that was stopped: its services run for as long as that takes, its devices do not. */
export const readAgreement = async (stateDir: string, modelLine: string): Promise<Agreement> => {
  const config = DeploymentConfig.parse(JSON.parse(readFileSync(join(REPOSITORY, 'config/local.json'), 'utf8')));
  const names = platformNames(config);
  const services = await startServices(stateDir, REPOSITORY, await readPorts(stateDir));
  try {
    const clients = clientsOf(services.endpoints);
    const registry = registryView(clients.db, names.registry.name);
    const line = (await registry.body('model-line', modelLine)) as {
      champion: { packageDigest: string } | null;
    } | null;
    const champion = line?.champion?.packageDigest ?? null;
    const releases = await registry.bodies('release');
    return {
      champion,
      serving: servingOn(stateDir),
      rings: await ringsWith(clients.greengrass, modelComponentName(modelLine), config.planes.plant.account, champion),
      open: releases.filter((r) => !OVER.includes(String(r['status']))).map((r) => `${r.id}: ${String(r['status'])}`),
    };
  } finally {
    await Promise.all([services.greengrass.stop(), services.sagemaker.stop()]);
    await services.aws.stop();
  }
};
