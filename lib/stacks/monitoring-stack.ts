import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  Dashboard,
  GraphWidget,
  type MathExpression,
  Metric,
  TextWidget,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SnsTopic, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import { grants } from '../constructs/grants.ts';
import { allow, PlatformFunction } from '../constructs/platform-function.ts';
import { WorkQueue } from '../constructs/work-queue.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';

/** ML plane: are the models still right, and is the platform itself well. */
export class MonitoringStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Monitoring', 'ml', 'Millwright: drift, outcomes, alarms, notifications.', props);
    const { names, config } = this;

    const judgement = new TableV2(this, 'Judgement', {
      tableName: names.judgementTable.name,
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.awsManagedKey(),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: this.keep === 'retain',
      timeToLiveAttribute: 'expiresAt',
      removalPolicy: this.keep,
    });

    const drift = new WorkQueue(this, 'DriftQueue', {
      queueName: `${names.prefix}-drift-evaluator`,
      consumer: new PlatformFunction(this, 'DriftEvaluator', {
        config,
        name: 'drift-evaluator',
        says: 'Adds up the histograms of devices and measures their distance from the baseline of the package.',
        may: [
          allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [judgement.tableArn]),
          ...grants.readArtifacts(this, 'packages/*'),
          grants.writeLedger(this),
        ],
        timeout: Duration.seconds(60),
      }),
      consumerTimeout: Duration.seconds(60),
      batchSize: 20,
      batchWindow: Duration.seconds(config.local ? 2 : 30),
    });
    const ruleRole = new Role(this, 'TopicRuleRole', {
      roleName: `${names.prefix}-drift-rule`,
      assumedBy: new ServicePrincipal('iot.amazonaws.com'),
    });
    drift.queue.grantSendMessages(ruleRole);
    drift.dead.grantSendMessages(ruleRole);
    new CfnTopicRule(this, 'TopicRule', {
      ruleName: `${names.prefix}_drift`.replaceAll('-', '_'),
      topicRulePayload: {
        awsIotSqlVersion: '2016-03-23',
        sql: `SELECT * FROM 'millwright/${config.stage}/+/+/digest'`,
        description: 'Feature digests of devices to the drift evaluator.',
        actions: [{ sqs: { queueUrl: drift.queue.queueUrl, roleArn: ruleRole.roleArn, useBase64: false } }],
        errorAction: { sqs: { queueUrl: drift.dead.queueUrl, roleArn: ruleRole.roleArn, useBase64: false } },
      },
    });

    const topicKey = new Key(this, 'OwnersKey', {
      alias: `alias/${names.prefix}-owners`,
      description: 'Encrypts notifications to the owners of model lines.',
      enableKeyRotation: true,
      removalPolicy: this.keep,
    });
    const owners = new Topic(this, 'Owners', {
      topicName: names.ownersTopic.name,
      masterKey: topicKey,
      enforceSSL: !config.local,
    });
    // A topic with a policy of its own is closed to alarms, and its key too, unless both say otherwise.
    const alarms = {
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      conditions: { StringEquals: { 'aws:SourceAccount': this.account } },
    };
    owners.addToResourcePolicy(
      new PolicyStatement({ sid: 'Alarms', ...alarms, actions: ['sns:Publish'], resources: [owners.topicArn] }),
    );
    topicKey.addToResourcePolicy(
      new PolicyStatement({
        sid: 'Alarms',
        ...alarms,
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
      }),
    );
    if (config.notifications.ownerEmail !== null)
      owners.addSubscription(new EmailSubscription(config.notifications.ownerEmail));

    const bus = EventBus.fromEventBusName(this, 'Bus', names.bus.name);
    new Rule(this, 'OwnersRule', {
      ruleName: `${names.prefix}-owners`,
      eventBus: bus,
      eventPattern: {
        source: [EVENT_SOURCE],
        detailType: ['RetrainFinished', 'ReleaseFinished', 'DriftJudged', 'Quarantined'],
      },
      targets: [new SnsTopic(owners)],
    });

    const outcomes = new WorkQueue(this, 'OutcomeQueue', {
      queueName: `${names.prefix}-outcome-joiner`,
      consumer: new PlatformFunction(this, 'OutcomeJoiner', {
        config,
        name: 'outcome-joiner',
        says: 'Joins what turned out to be true to what the edge had decided, and keeps how far off it was.',
        may: [
          ...grants.readLake(this, 'decisions/*'),
          ...grants.readRegistry(this, 'latest', 'edges'),
          grants.writeLedger(this),
        ],
        timeout: Duration.minutes(2),
        memoryMiB: 512,
      }),
      consumerTimeout: Duration.minutes(2),
      batchSize: 10,
    });
    new Rule(this, 'OutcomeRule', {
      ruleName: `${names.prefix}-outcomes`,
      eventBus: bus,
      eventPattern: { source: [EVENT_SOURCE], detailType: ['OutcomeKnown'] },
      targets: [new SqsQueue(outcomes.queue, { deadLetterQueue: outcomes.dead })],
    });

    const alarm = (id: string, says: string, metric: Metric | MathExpression, threshold: number) => {
      new Alarm(this, id, {
        alarmName: `${names.prefix}-${id.toLowerCase()}`,
        alarmDescription: says,
        metric,
        threshold,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
        evaluationPeriods: 1,
        treatMissingData: TreatMissingData.NOT_BREACHING,
      }).addAlarmAction(new SnsAction(owners));
    };
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
      0,
    );
    alarm(
      'RetrainFailed',
      'A retrain ended in a fault that its own recording did not catch.',
      workflow('ExecutionsFailed', names.retrain.arn),
      0,
    );

    new Dashboard(this, 'Health', {
      dashboardName: `${names.prefix}-health`,
      widgets: [
        [new TextWidget({ markdown: `# Millwright ${config.stage}: is the platform well`, width: 24, height: 1 })],
        [
          new GraphWidget({
            title: 'Functions of judging: errors',
            left: ['drift-evaluator', 'outcome-joiner'].map((n) => lambda('Errors', n)),
            width: 12,
          }),
          new GraphWidget({
            title: 'Retrains',
            left: [workflow('ExecutionsSucceeded', names.retrain.arn), workflow('ExecutionsFailed', names.retrain.arn)],
            width: 12,
          }),
        ],
      ],
    });
  }
}
