import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IAMClient, UpdateAssumeRolePolicyCommand } from '@aws-sdk/client-iam';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { type PlatformNames, platformNames } from '#core/contracts/names.ts';
import type { LocalAws } from '../../../local/aws/start-aws.ts';
import { deployStacks } from '../../../local/start/deploy.ts';
import { Teller } from '../../../local/start/teller.ts';
import { client, REPOSITORY, startForTest, stateFolder } from '../aws/local-aws.ts';

/** Options of an AWS client: where, and as whom. */
export interface ClientOptions {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

/** A local AWS of its own with all stacks of the local stage, without devices, SageMaker and Greengrass. */
export interface DeployedPlant {
  readonly aws: LocalAws;
  readonly names: PlatformNames;
  /** Options of a client that is root there. */
  readonly client: ClientOptions;
  stop(): Promise<void>;
}

/**
 * Starts a local AWS on free ports in a new folder and deploys every stack to it; takes about a quarter of a minute.
 * @throws {Error} when the bundles of the Lambdas were not built.
 */
export const deployPlant = async (): Promise<DeployedPlant> => {
  if (!existsSync(join(REPOSITORY, '.build/lambdas/ledger-writer/index.mjs')))
    throw new Error(
      '.build/lambdas has no bundles, and the stacks are made of them: run "node scripts/build.ts" first',
    );
  const folder = stateFolder();
  let aws: LocalAws | undefined;
  const stop = async (): Promise<void> => {
    await aws?.stop();
    folder.remove();
  };
  try {
    aws = await startForTest(folder.dir);
    const teller = new Teller({ isTTY: false, colour: false, write: () => {} });
    await deployStacks(
      { root: REPOSITORY, stateDir: folder.dir, signal: new AbortController().signal, teller },
      aws.url,
    );
    const config = DeploymentConfig.parse(JSON.parse(readFileSync(join(REPOSITORY, 'config/local.json'), 'utf8')));
    return { aws, names: platformNames(config), client: client(aws.url), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/**
 * Options of a client with the credentials of a role. Its trust is widened to the root of this account; what it may do is
 * as deployed.
 * @param session name of the session: the device role takes it for its thing.
 */
export const become = async (
  plant: DeployedPlant,
  role: { readonly RoleName?: string | undefined; readonly Arn?: string | undefined },
  session: string,
): Promise<ClientOptions> => {
  await new IAMClient(plant.client).send(
    new UpdateAssumeRolePolicyCommand({
      RoleName: role.RoleName,
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:root' }, Action: 'sts:AssumeRole' },
        ],
      }),
    }),
  );
  const { Credentials } = await new STSClient(plant.client).send(
    new AssumeRoleCommand({ RoleArn: role.Arn, RoleSessionName: session }),
  );
  return {
    ...plant.client,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    },
  };
};
