import { Validations } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { AwsSolutionsChecks } from 'cdk-nag';
import { Construct } from 'constructs';
import { type DeploymentConfig, PlaneName } from '#core/contracts/deployment-config.ts';
import { acknowledgeFindings } from './aspects/acknowledged.ts';
import { OwnersAlarm } from './constructs/owners-alarm.ts';
import { OwnersTopic } from './constructs/owners-topic.ts';
import { PlaneDashboard } from './constructs/plane-dashboard.ts';
import { RelayBus } from './constructs/relay-bus.ts';
import { AccessStack } from './stacks/access-stack.ts';
import { DataStack } from './stacks/data-stack.ts';
import { FleetStack } from './stacks/fleet-stack.ts';
import { IngestStack } from './stacks/ingest-stack.ts';
import { LedgerStack } from './stacks/ledger-stack.ts';
import { MonitoringStack } from './stacks/monitoring-stack.ts';
import type { PlatformStack } from './stacks/platform-stack.ts';
import { TrainingStack } from './stacks/training-stack.ts';

/**
 * One stage of the platform: seven stacks, arrows one way. A later stack may depend on an earlier one, never the other
 * way round; they find each other by name.
 */
export class MillwrightStage extends Construct {
  readonly stacks: readonly PlatformStack[];

  constructor(scope: Construct, config: DeploymentConfig) {
    super(scope, 'Millwright');
    this.node.setContext('millwright:local', config.local);
    // Access logs are granted by policy: buckets take no ACLs.
    this.node.setContext('@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy', true);
    const props = { config };
    this.stacks = [
      new LedgerStack(this, props),
      new DataStack(this, props),
      new IngestStack(this, props),
      new TrainingStack(this, props),
      new FleetStack(this, props),
      new MonitoringStack(this, props),
      new AccessStack(this, props),
    ];
    const told = new Set<string>();
    for (const stack of this.stacks) {
      const { account, region } = stack;
      if (told.has(`${account}/${region}`)) continue;
      told.add(`${account}/${region}`);
      const ml = config.planes.ml;
      new OwnersTopic(stack, account === ml.account && region === ml.region);
      new OwnersAlarm(stack, 'Throttled', {
        stack,
        alarmName: `${stack.names.prefix}-throttled`,
        says: 'Lambda refuses calls in this account: raise its quota of concurrent executions, or look who takes it.',
        // Without a dimension it counts all functions of the account.
        metric: new Metric({ namespace: 'AWS/Lambda', metricName: 'Throttles', statistic: 'Sum' }),
      });
    }
    const relayed = new Set([config.planes.governance.account]);
    for (const [i, stack] of this.stacks.entries()) {
      if (i > 0) stack.addStackDependency(this.stacks[i - 1] as PlatformStack);
      if (relayed.has(stack.account)) continue;
      relayed.add(stack.account);
      new RelayBus(stack);
    }
    for (const plane of PlaneName.options)
      new PlaneDashboard(
        plane,
        this.stacks.filter((s) => s.plane === plane),
      );
    acknowledgeFindings(this, config.local);
    Validations.of(this).addPlugins(new AwsSolutionsChecks(this));
  }
}
