import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  AccountRootPrincipal,
  CompositePrincipal,
  type PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { CfnPolicy, CfnRoleAlias, CfnThingGroup, CfnTopicRule } from 'aws-cdk-lib/aws-iot';
import type { Construct } from 'constructs';
import { ringGroupName } from '#core/contracts/release.ts';
import { onlyInAws } from '../aspects/only-in-aws.ts';
import { DeadLetters } from '../constructs/dead-letters.ts';
import { devicePolicyDocument } from '../constructs/device-policy.ts';
import { grants } from '../constructs/grants.ts';
import { RecordEnd } from '../constructs/on-ended.ts';
import { StartOnEvent } from '../constructs/on-event.ts';
import { OwnersAlarm } from '../constructs/owners-alarm.ts';
import { allow, arnsOf, PlatformFunction } from '../constructs/platform-function.ts';
import { PlatformHealth } from '../constructs/platform-health.ts';
import { PlatformTable } from '../constructs/platform-table.ts';
import { releaseDefinition, waveDefinition } from '../constructs/release-workflow/definition.ts';
import { consume, WorkQueue } from '../constructs/work-queue.ts';
import { Workflow } from '../constructs/workflow.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';

/** Plant plane: devices, ring groups, and how a package reaches them. */
export class FleetStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Fleet', 'plant', 'Millwright: devices, ring groups, release workflow.', props);
    const { names, config } = this;
    const home = `${this.region}:${this.account}`;
    const iot = (resource: string): string => `arn:aws:iot:${home}:${resource}`;
    const greengrass = (resource: string): string => `arn:aws:greengrass:${home}:${resource}`;
    const sites = config.sites.map((s) => s.id);
    const things = iot(`thing/${config.stage}-*`);
    const groups = iot(`thinggroup/${config.stage}-*`);

    const fleet = new PlatformTable(this, 'FleetTable', {
      tableName: names.fleetTable.name,
    });

    for (const site of config.sites)
      for (const { ring, deviceClass } of site.rings) {
        const name = ringGroupName(config.stage, site.id, deviceClass, ring);
        new CfnThingGroup(this, `Ring-${site.id}-${deviceClass}-${ring}`, {
          thingGroupName: name,
          thingGroupProperties: {
            thingGroupDescription: `Ring ${ring} of ${site.title}, device class ${deviceClass}.`,
          },
        });
      }

    const device = new Role(this, 'DeviceRole', {
      roleName: names.deviceRole.name,
      description: 'What a device may do with AWS: put its own objects, get components and packages.',
      // Simulated devices have no credential provider: they assume the role by STS.
      assumedBy: config.local
        ? new CompositePrincipal(new ServicePrincipal('credentials.iot.amazonaws.com'), new AccountRootPrincipal())
        : new ServicePrincipal('credentials.iot.amazonaws.com'),
    });
    for (const statement of [
      // The credential provider puts in the thing for whose certificate it gives the credentials.
      ...grants.writeLake(
        this,
        ...sites.map((s) => `raw/frames/site=${s}/*/\${credentials-iot:ThingName}/*`),
        ...sites.map((s) => `raw/observations/site=${s}/\${credentials-iot:ThingName}/*`),
        `inbox/decisions/\${credentials-iot:ThingName}/*`,
      ),
      ...grants.readArtifacts(this, 'components/*', 'packages/*'),
      allow(['s3:GetBucketLocation'], [`arn:aws:s3:::${names.artifactsBucket}`]),
    ])
      device.addToPolicy(statement);
    onlyInAws(
      this,
      'role-alias',
      () =>
        new CfnRoleAlias(this, 'DeviceRoleAlias', {
          roleAlias: names.deviceRoleAlias,
          roleArn: device.roleArn,
          credentialDurationSeconds: 3600,
        }),
    );

    new CfnPolicy(this, 'DevicePolicy', {
      policyName: names.devicePolicy,
      policyDocument: devicePolicyDocument(config.stage, iot, names.deviceRoleAlias),
    });

    // A message that itself says on which topic it came could pass for another device's.
    const said = (kind: string): string =>
      `SELECT *, topic() AS cameOn FROM 'millwright/${config.stage}/+/+/${kind}' WHERE isUndefined(cameOn)`;
    const ledger = grants.writeLedger(this);
    const table = (...actions: string[]): PolicyStatement => allow(actions, [fleet.tableArn]);
    const reports = new WorkQueue(this, 'ReportQueue', {
      queueName: `${names.prefix}-device-report`,
      consumerTimeout: Duration.seconds(60),
    });
    const reporter = new PlatformFunction(this, 'DeviceReport', {
      config,
      name: 'device-report',
      says: 'Keeps the newest report of each device; registers what a device adopts.',
      may: [ledger, table('dynamodb:GetItem', 'dynamodb:PutItem')],
      timeout: Duration.seconds(60),
    });
    consume(reporter, reports.queue, { size: 10 });
    const ruleRole = new Role(this, 'TopicRuleRole', {
      roleName: `${names.prefix}-report-rule`,
      assumedBy: new ServicePrincipal('iot.amazonaws.com'),
    });
    reports.queue.grantSendMessages(ruleRole);
    reports.dead.grantSendMessages(ruleRole);
    new CfnTopicRule(this, 'TopicRule', {
      ruleName: `${names.prefix}_reports`.replaceAll('-', '_'),
      topicRulePayload: {
        awsIotSqlVersion: '2016-03-23',
        sql: said('report'),
        description: 'Reports of devices, each with the topic it came on.',
        actions: [{ sqs: { queueUrl: reports.queue.queueUrl, roleArn: ruleRole.roleArn, useBase64: false } }],
        errorAction: { sqs: { queueUrl: reports.dead.queueUrl, roleArn: ruleRole.roleArn, useBase64: false } },
      },
    });

    // Devices speak to the IoT Core of this account only: from here their digests go to the planes that read them.
    const unsent = new DeadLetters(this, 'UnsentDigests', {
      stack: this,
      queueName: `${names.prefix}-digest-rule-dead`,
      says: 'Feature digests, observations or findings of devices could not be sent on and wait in the dead-letter queue, with why.',
    }).queue;
    const digestRole = new Role(this, 'DigestRuleRole', {
      roleName: names.digestRuleRole.name,
      assumedBy: new ServicePrincipal('iot.amazonaws.com'),
      description: 'Sends messages of devices on to the lake, feature digests to the drift evaluator too.',
    });
    const receivers = [names.messageQueue, names.digestQueue];
    digestRole.addToPolicy(
      allow(
        ['sqs:SendMessage'],
        [...receivers.map((q) => q.arn), `arn:aws:sqs:${home}:${names.prefix}-digest-rule-dead`],
      ),
    );
    const send = (queueUrl: string) => ({ sqs: { queueUrl, roleArn: digestRole.roleArn, useBase64: false } });
    new CfnTopicRule(this, 'DigestRule', {
      ruleName: `${names.prefix}_digests`.replaceAll('-', '_'),
      topicRulePayload: {
        awsIotSqlVersion: '2016-03-23',
        sql: said('digest'),
        description:
          'Feature digests of devices, each with the topic it came on, to the lake and to the drift evaluator.',
        actions: receivers.map((q) => send(q.url)),
        errorAction: send(unsent.queueUrl),
      },
    });
    // As bytes: what is no JSON a rule would drop without a word, and what a device says cannot pass for the topic.
    for (const [id, kind, queues] of [
      ['ObservationRule', 'observations', [names.messageQueue]],
      // Findings also hold what the drift evaluator would say of the time they are about.
      ['QualityRule', 'quality', receivers],
    ] as const)
      new CfnTopicRule(this, id, {
        ruleName: `${names.prefix}_${kind}`.replaceAll('-', '_'),
        topicRulePayload: {
          awsIotSqlVersion: '2016-03-23',
          sql: `SELECT encode(*, 'base64') AS bytes, topic() AS cameOn FROM 'millwright/${config.stage}/+/+/${kind}'`,
          description: `Messages of devices on …/${kind}, each whole and with the topic it came on, to ${queues.length > 1 ? 'the lake and the drift evaluator' : 'the lake'}.`,
          actions: queues.map((q) => send(q.url)),
          errorAction: send(unsent.queueUrl),
        },
      });

    const fn = (
      id: string,
      name: string,
      says: string,
      may: readonly PolicyStatement[],
      more: { timeout?: Duration; environment?: Record<string, string> } = {},
    ): PlatformFunction =>
      new PlatformFunction(this, id, { config, name, says, may, timeout: Duration.seconds(60), ...more });
    const executions = (machine: string): string => `arn:aws:states:${home}:execution:${machine}:*`;
    // Greengrass looks at things, groups and their jobs in the name of whoever asks it.
    const looks = [
      allow(['iot:DescribeThingGroup'], [groups]),
      allow(['iot:DescribeThing', 'iot:GetThingShadow'], [things]),
      allow(['iot:DescribeJob'], [iot('job/*')]),
    ];
    // A deployment is an IoT job for the group, made in the name of the caller; it replaces the job before. Deployments
    // to single things, which write shadows, are not made here.
    const deploys = [
      allow(['greengrass:CreateDeployment'], ['*']),
      allow(['greengrass:TagResource'], [greengrass('deployments:*')]),
      allow(['iot:CreateJob'], [groups, iot('job/*')]),
      allow(['iot:CancelJob', 'iot:UpdateJob'], [iot('job/*')]),
      ...looks,
    ];
    const followsDevices = [
      allow(['iot:ListThingsInThingGroup'], [groups]),
      allow(['greengrass:ListEffectiveDeployments'], [greengrass(`coreDevices:${config.stage}-*`)]),
      allow(['iot:DescribeJobExecution'], [iot('job/*'), things]),
    ];
    const made = {
      'approve-release': fn(
        'ApproveRelease',
        'approve-release',
        'Checks a release, lists its rings, keeps the question to a person.',
        [
          ...grants.readRegistry(this, 'latest', 'list'),
          ledger,
          ...grants.readArtifacts(this, 'packages/*'),
          table('dynamodb:PutItem'),
          allow(['states:DescribeExecution'], [executions(names.release.name)]),
        ],
        { environment: { MILLWRIGHT_SITES: JSON.stringify(config.sites) } },
      ),
      'publish-component': fn(
        'PublishComponent',
        'publish-component',
        'Makes the weights component of a package, once.',
        [
          ...grants.readArtifacts(this, 'packages/*'),
          allow(
            ['greengrass:CreateComponentVersion', 'greengrass:GetComponent', 'greengrass:TagResource'],
            [greengrass('components:millwright.model.*')],
          ),
        ],
      ),
      'deploy-ring': fn('DeployRing', 'deploy-ring', 'Places a weights component on one ring.', [
        ledger,
        table('dynamodb:GetItem', 'dynamodb:PutItem'),
        allow(['greengrass:ListDeployments'], ['*']),
        allow(['greengrass:GetDeployment'], [greengrass('deployments:*')]),
        allow(['iot:ListThingsInThingGroup'], [groups]),
        ...deploys,
      ]),
      'observe-ring': fn(
        'ObserveRing',
        'observe-ring',
        'Looks at a ring: reports of its devices, state of its deployment.',
        [table('dynamodb:GetItem', 'dynamodb:PutItem'), ...followsDevices, ...looks],
        { timeout: Duration.seconds(120) },
      ),
      'revert-release': fn(
        'RevertRelease',
        'revert-release',
        'Brings every ring that a release changed back to what it had; looks whether its devices are.',
        [ledger, table('dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'), ...followsDevices, ...deploys],
        { timeout: Duration.minutes(8) },
      ),
      'record-release': fn('RecordRelease', 'record-release', 'Records how a release ended; names the champion.', [
        ...grants.readRegistry(this, 'latest'),
        ledger,
        table('dynamodb:Query'),
      ]),
    };
    const functions = arnsOf(made);

    new Workflow(this, 'Wave', {
      name: names.wave.name,
      says: 'Wave: one ring of a release.',
      definition: waveDefinition(functions),
      may: [allow(['lambda:InvokeFunction'], [functions['deploy-ring'], functions['observe-ring']])],
    });
    const release = new Workflow(this, 'Release', {
      name: names.release.name,
      says: 'Release: a package reaches the devices ring by ring, or goes back.',
      definition: releaseDefinition(functions, names.wave.arn),
      may: [
        allow(
          ['lambda:InvokeFunction'],
          (['approve-release', 'publish-component', 'revert-release', 'record-release'] as const).map(
            (n) => functions[n],
          ),
        ),
        allow(['states:StartExecution'], [names.wave.arn]),
        allow(['states:DescribeExecution', 'states:StopExecution'], [executions(names.wave.name)]),
        allow(
          ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
          [`arn:aws:events:${home}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule`],
        ),
      ],
    });
    new OwnersAlarm(this, 'ReleaseFailed', {
      stack: this,
      alarmName: `${names.prefix}-releasefailed`,
      says: 'A release ended in a fault: devices may stand between two packages.',
      metric: new Metric({
        namespace: 'AWS/States',
        metricName: 'ExecutionsFailed',
        dimensionsMap: { StateMachineArn: names.release.arn },
        statistic: 'Sum',
        period: Duration.minutes(5),
      }),
    });
    new RecordEnd(this, 'OnEnd', {
      stack: this,
      name: names.release.name,
      arn: names.release.arn,
      recorder: made['record-release'],
    });
    new PlatformHealth(this, {
      plane: 'plant',
      workflows: [
        { arn: names.release.arn, allowed: Duration.hours(config.health.releaseHours) },
        { arn: names.wave.arn, allowed: Duration.hours(config.health.waveHours) },
      ],
      fleet: fleet.tableArn,
    });
    new StartOnEvent(this, 'OnCandidate', {
      stack: this,
      event: 'ReleaseCandidate',
      name: names.release.name,
      machine: release.machine,
    });
  }
}
