import { CliCredentialsStackSynthesizer, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { DeploymentConfig, PlaneName } from '#core/contracts/deployment-config.ts';
import { type PlatformNames, platformNames } from '#core/contracts/names.ts';

export interface PlatformStackProps {
  readonly config: DeploymentConfig;
}

/** A stack of one plane: its account and region from the deployment config, its names from the contract. */
export abstract class PlatformStack extends Stack {
  readonly config: DeploymentConfig;
  readonly names: PlatformNames;
  /** Data is kept unless two switches say destroy. */
  readonly keep: RemovalPolicy;
  readonly plane: PlaneName;
  /** What this stack adds to the dashboard of its plane beside functions, queues and workflows. */
  readonly graphs: { readonly title: string; readonly metrics: readonly IMetric[] }[] = [];

  constructor(scope: Construct, id: string, plane: PlaneName, says: string, props: PlatformStackProps) {
    const { config } = props;
    super(scope, id, {
      stackName: `${platformNames(config).prefix}-${id.toLowerCase()}`,
      description: says,
      env: { account: config.planes[plane].account, region: config.planes[plane].region },
      crossRegionReferences: false,
      // The local AWS enforces IAM and knows no publishing role of the bootstrap stack.
      ...(config.local ? { synthesizer: new CliCredentialsStackSynthesizer() } : {}),
    });
    this.config = config;
    this.plane = plane;
    this.names = platformNames(config);
    this.keep =
      config.data.destroy && config.data.confirmDestroy === config.stage ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
  }

  /** Of this account and region: alarms reach no other. */
  get ownersTopicArn(): string {
    return `arn:aws:sns:${this.region}:${this.account}:${this.names.ownersTopic}`;
  }

  /** Accounts of other planes, without this stack's own. */
  otherAccounts(): string[] {
    const accounts = new Set(Object.values(this.config.planes).map((p) => p.account));
    accounts.delete(this.account);
    return [...accounts].sort();
  }
}
