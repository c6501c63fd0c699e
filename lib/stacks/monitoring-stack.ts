import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import { Alerting } from '../constructs/alerting.ts';
import { grants } from '../constructs/grants.ts';
import { LineJudging } from '../constructs/line-judging.ts';
import { OwnersAlarm } from '../constructs/owners-alarm.ts';
import { PlantTopics } from '../constructs/plant-topics.ts';
import { allow, PlatformFunction } from '../constructs/platform-function.ts';
import { PlatformTable } from '../constructs/platform-table.ts';
import { consume, WorkQueue } from '../constructs/work-queue.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';
import { DRIFT_EVALUATOR_TIMEOUT } from './training-stack.ts';

/** ML plane: are the models still right, and is the platform itself well. */
export class MonitoringStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Monitoring', 'ml', 'Millwright: drift, outcomes, alarms, notifications.', props);
    const { names, config } = this;

    const judgement = new PlatformTable(this, 'Judgement', {
      tableName: names.judgementTable.name,
    });

    const drift = new PlatformFunction(this, 'DriftEvaluator', {
      config,
      name: 'drift-evaluator',
      says: 'Keeps the windows of devices, judges them by the baseline of the package and judges the model line.',
      may: [
        allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [judgement.tableArn]),
        ...grants.readArtifacts(this, 'packages/*'),
        ...grants.readLake(this, 'drift/windows/*', 'drift/parts/*'),
        ...grants.writeLake(this, 'drift/windows/*', 'drift/parts/*', 'drift/evidence/*', 'drift/lines/*'),
        grants.listLake(this, 'drift/windows/*', 'drift/parts/*'),
        ...grants.readRegistry(this, 'latest', 'list'),
        grants.writeLedger(this),
      ],
      timeout: DRIFT_EVALUATOR_TIMEOUT,
    });
    const { arn: queueArn, url: queueUrl } = names.digestQueue;
    consume(drift, Queue.fromQueueAttributes(this, 'Digests', { queueArn, queueUrl }), {
      size: 20,
      window: Duration.seconds(config.local ? 2 : 30),
    });

    const bus = EventBus.fromEventBusName(this, 'Bus', names.bus.name);
    const owners = new SnsTopic(Topic.fromTopicArn(this, 'Owners', this.ownersTopicArn));
    new Rule(this, 'OwnersRule', {
      ruleName: `${names.prefix}-owners`,
      eventBus: bus,
      eventPattern: {
        source: [EVENT_SOURCE],
        detailType: ['RetrainFinished', 'ReleaseFinished', 'LineJudged', 'OwnerMessage', 'Quarantined'],
      },
      targets: [owners],
    });
    new Rule(this, 'DriftedRule', {
      ruleName: `${names.prefix}-owners-drifted`,
      eventBus: bus,
      eventPattern: { source: [EVENT_SOURCE], detailType: ['DriftJudged'], detail: { state: ['drifted'] } },
      targets: [owners],
    });
    new PlantTopics(this);
    new Alerting(this);
    new LineJudging(this, judgement.tableArn);

    const outcomes = new WorkQueue(this, 'OutcomeQueue', {
      queueName: `${names.prefix}-outcome-joiner`,
      consumerTimeout: Duration.minutes(2),
    });
    const joiner = new PlatformFunction(this, 'OutcomeJoiner', {
      config,
      name: 'outcome-joiner',
      says: 'Joins what turned out to be true to what the edge had decided, and keeps how far off it was.',
      may: [
        ...grants.readLake(this, 'decisions/*'),
        ...grants.writeLake(this, 'drift/lines/*'),
        ...grants.readRegistry(this, 'latest', 'list'),
        allow(['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'], [judgement.tableArn]),
        grants.writeLedger(this),
      ],
      timeout: Duration.minutes(2),
      memoryMiB: 512,
    });
    consume(joiner, outcomes.queue, { size: 100, window: Duration.seconds(config.local ? 1 : 15) });
    new Rule(this, 'OutcomeRule', {
      ruleName: `${names.prefix}-outcomes`,
      eventBus: bus,
      eventPattern: {
        source: [EVENT_SOURCE],
        detailType: ['OutcomeKnown', 'MachineChanged', 'DecisionsRecorded', 'RetrainFinished', 'ReleaseFinished'],
      },
      targets: [new SqsQueue(outcomes.queue, { deadLetterQueue: outcomes.dead })],
    });

    const alarm = (id: string, says: string, metric: Metric) =>
      new OwnersAlarm(this, id, { stack: this, alarmName: `${names.prefix}-${id.toLowerCase()}`, says, metric });
    const lambda = (metricName: string, name: string) =>
      new Metric({
        namespace: 'AWS/Lambda',
        metricName,
        dimensionsMap: { FunctionName: `${names.prefix}-${name}` },
        statistic: 'Sum',
        period: Duration.minutes(5),
      });
    const workflow = (metricName: string, arn: string) =>
      new Metric({
        namespace: 'AWS/States',
        metricName,
        dimensionsMap: { StateMachineArn: arn },
        statistic: 'Sum',
        period: Duration.minutes(5),
      });
    alarm(
      'DriftErrors',
      'The drift evaluator fails: models are not being watched.',
      lambda('Errors', 'drift-evaluator'),
    );
    alarm(
      'RetrainFailed',
      'A retrain ended in a fault that its own recording did not catch.',
      workflow('ExecutionsFailed', names.retrain.arn),
    );
  }
}
