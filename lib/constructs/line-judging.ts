import { Duration } from 'aws-cdk-lib';
import { ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { HEALTH_METRICS, healthNamespace } from '#core/contracts/health.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { grants } from './grants.ts';
import { judgingDefinition } from './judging-workflow/definition.ts';
import { OwnersAlarm } from './owners-alarm.ts';
import { allow, arnsOf, PlatformFunction } from './platform-function.ts';
import { healthMetric } from './platform-health.ts';
import { Workflow } from './workflow.ts';

const EVERY = Duration.hours(1);

/** Judges every model line on a schedule, and watches that devices are watched. */
export class LineJudging extends Construct {
  constructor(stack: PlatformStack, judgementArn: string) {
    super(stack, 'LineJudging');
    const { names, config } = stack;
    const made = {
      'list-lines': new PlatformFunction(this, 'ListLines', {
        config,
        name: 'list-lines',
        says: 'Lists the model lines that the schedule judges.',
        may: [
          ...grants.readRegistry(stack, 'list'),
          allow(['s3:PutObject'], [`arn:aws:s3:::${names.workBucket}/items/lines/*`]),
        ],
        timeout: Duration.seconds(60),
      }),
      'judge-line': new PlatformFunction(this, 'JudgeLine', {
        config,
        name: 'judge-line',
        says: 'Judges one model line, and looks whether anybody watches the inputs of its devices.',
        may: [
          allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [judgementArn]),
          ...grants.readRegistry(stack, 'latest', 'list'),
          grants.writeLedger(stack),
          ...grants.writeLake(stack, 'drift/lines/*'),
          allow(['cloudwatch:PutMetricData'], ['*'], {
            StringEquals: { 'cloudwatch:namespace': healthNamespace(names.prefix) },
          }),
        ],
        timeout: Duration.minutes(2),
        memoryMiB: 512,
      }),
    };
    const functions = arnsOf(made);
    const executions = `arn:aws:states:${stack.region}:${stack.account}:execution:${names.judging.name}`;
    const { machine } = new Workflow(this, 'Judging', {
      name: names.judging.name,
      says: 'Judges every model line, because time alone may change what is said of it.',
      definition: judgingDefinition({ functions, bucket: names.workBucket }),
      may: [
        allow(['lambda:InvokeFunction'], Object.values(functions)),
        grants.readWork(stack),
        // A Distributed Map runs each part as an execution of its own.
        allow(['states:StartExecution'], [names.judging.arn]),
        allow(['states:DescribeExecution', 'states:StopExecution'], [`${executions}:*`, `${executions}/*`]),
      ],
    });
    new Rule(this, 'Hourly', {
      ruleName: names.judging.name,
      schedule: Schedule.rate(EVERY),
      targets: [new SfnStateMachine(machine, { input: RuleTargetInput.fromObject({}) })],
    });

    new OwnersAlarm(this, 'Unwatched', {
      stack,
      alarmName: `${names.prefix}-unwatched-devices`,
      says: 'Devices decide and nothing is heard of their inputs: "millwright drift" names them. Drift there would go unseen.',
      metric: healthMetric(stack, 'ml', HEALTH_METRICS.unwatched),
    });
    new OwnersAlarm(this, 'Errors', {
      stack,
      alarmName: `${names.prefix}-judge-line-errors`,
      says: 'Model lines cannot be judged on schedule: the log of judge-line names them.',
      metric: made['judge-line'].fn.metricErrors({ period: EVERY }),
    });
    // The one alarm that silence sets off: a judge that does not run says nothing of itself.
    const idle = machine.metricSucceeded({ period: Duration.hours(3), statistic: 'Sum' }).createAlarm(this, 'Idle', {
      alarmName: `${names.prefix}-judging-idle`,
      alarmDescription: 'No model line was judged on schedule for three hours: nobody watches them.',
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.BREACHING,
    });
    idle.addAlarmAction({ bind: () => ({ alarmActionArn: stack.ownersTopicArn }) });
  }
}
