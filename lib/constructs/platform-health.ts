import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { HEALTH_METRICS, type HealthWatch, healthNamespace } from '#core/contracts/health.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { OwnersAlarm } from './owners-alarm.ts';
import { allow, PlatformFunction } from './platform-function.ts';

export interface PlatformHealthProps {
  readonly plane: HealthWatch['plane'];
  readonly workflows?: readonly { readonly arn: string; readonly allowed: Duration }[];
  /** ARN of the fleet table whose devices are watched. */
  readonly fleet?: string;
  readonly checkpoints?: boolean;
}

const EVERY = Duration.minutes(5);

/** A metric of a plane's health; the plane is its only dimension. */
export const healthMetric = (stack: PlatformStack, plane: string, metricName: string): Metric =>
  new Metric({
    namespace: healthNamespace(stack.names.prefix),
    metricName,
    dimensionsMap: { Plane: plane },
    statistic: 'Maximum',
    period: EVERY,
  });

/** Looks every five minutes how the platform is in one plane, and tells the owners when it is not well. */
export class PlatformHealth extends Construct {
  constructor(stack: PlatformStack, { plane, workflows = [], fleet, checkpoints = false }: PlatformHealthProps) {
    super(stack, 'PlatformHealth');
    const { config, names } = stack;
    const { silentDeviceMinutes, checkpointMinutes } = config.health;
    const watch: HealthWatch = {
      plane,
      workflows: workflows.map(({ arn, allowed }) => ({ arn, allowedMinutes: allowed.toMinutes() })),
      silentMinutes: fleet === undefined ? null : silentDeviceMinutes,
      checkpointMinutes: checkpoints ? checkpointMinutes : null,
    };
    const evidence = `arn:aws:s3:::${names.evidenceBucket}`;
    const may: PolicyStatement[] = [
      allow(['cloudwatch:PutMetricData'], ['*'], {
        StringEquals: { 'cloudwatch:namespace': healthNamespace(names.prefix) },
      }),
    ];
    const alarms: (readonly [metric: string, says: string])[] = [];
    if (workflows.length > 0) {
      may.push(
        allow(
          ['states:ListExecutions'],
          workflows.map((w) => w.arn),
        ),
      );
      alarms.push([
        HEALTH_METRICS.stuck,
        'A retrain, release or wave runs longer than it may: look at it, stop it if it is stuck.',
      ]);
    }
    if (fleet !== undefined) {
      may.push(allow(['dynamodb:Scan'], [fleet]));
      alarms.push([
        HEALTH_METRICS.silent,
        `Devices have said nothing for ${silentDeviceMinutes} minutes: see "millwright devices". They decide without us.`,
      ]);
    }
    if (checkpoints) {
      may.push(allow(['s3:ListBucket'], [evidence], { StringLike: { 's3:prefix': ['checkpoints/*'] } }));
      alarms.push([
        HEALTH_METRICS.late,
        `The newest signed checkpoint is older than ${checkpointMinutes} minutes, or there is none yet.`,
      ]);
    }
    const measure = new PlatformFunction(this, 'Measure', {
      config,
      name: `platform-health-${plane}`,
      bundle: 'platform-health',
      says: 'Measures how the platform itself is: silent devices, stuck workflows, late checkpoints.',
      may,
      environment: { MILLWRIGHT_WATCH: JSON.stringify(watch) },
      timeout: Duration.seconds(60),
    });
    new Rule(this, 'Schedule', {
      ruleName: measure.name,
      schedule: Schedule.rate(EVERY),
      targets: [new LambdaFunction(measure.fn)],
    });
    for (const [metric, says] of alarms)
      new OwnersAlarm(this, metric, {
        stack,
        alarmName: `${names.prefix}-${metric.toLowerCase()}-${plane}`,
        says,
        metric: healthMetric(stack, plane, metric),
      });
    new OwnersAlarm(this, 'Errors', {
      stack,
      alarmName: `${measure.name}-errors`,
      says: `Nobody knows how the platform is in the ${plane} plane: measuring it fails.`,
      metric: measure.fn.metricErrors({ period: Duration.minutes(15) }),
    });
  }
}
