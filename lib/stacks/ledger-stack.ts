import { Duration } from 'aws-cdk-lib';
import { AttributeType, ProjectionType, TableEncryptionV2 } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { EventBus as BusTarget, LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal, AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { ObjectLockRetention } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import { REGISTRY_CLASS_INDEX } from '#core/contracts/ledger.ts';
import { onlyInAws } from '../aspects/only-in-aws.ts';
import { OwnersAlarm } from '../constructs/owners-alarm.ts';
import { allow, PlatformFunction } from '../constructs/platform-function.ts';
import { PlatformHealth } from '../constructs/platform-health.ts';
import { PlatformTable } from '../constructs/platform-table.ts';
import { SecureBucket } from '../constructs/secure-bucket.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';

/** Governance plane: what was, who said so, and the bus on which parts tell each other. */
export class LedgerStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Ledger', 'governance', 'Millwright: registry, its only writer, evidence, event bus.', props);
    const { names, config } = this;
    const others = this.otherAccounts();

    const bus = new EventBus(this, 'Bus', { eventBusName: names.bus.name });
    if (others.length > 0)
      onlyInAws(this, 'cross-account-policy', () => {
        for (const account of others)
          bus.addToResourcePolicy(
            new PolicyStatement({
              sid: `Plane${account}`,
              principals: [new AccountPrincipal(account)],
              actions: ['events:PutEvents'],
              resources: [bus.eventBusArn],
              conditions: { StringEquals: { 'events:source': EVENT_SOURCE } },
            }),
          );
        // Rules of another account fire only on a bus of that account: each gets every event of the platform.
        for (const [account, region] of this.relays())
          new Rule(this, `RelayTo${account}`, {
            eventBus: bus,
            eventPattern: { source: [EVENT_SOURCE] },
            targets: [
              new BusTarget(
                EventBus.fromEventBusArn(
                  this,
                  `Relay${account}`,
                  `arn:aws:events:${region}:${account}:event-bus/${names.bus.name}`,
                ),
              ),
            ],
          });
      });

    const readers = others.map((account) => new AccountPrincipal(account));
    const writer = new PlatformFunction(this, 'Writer', {
      config,
      name: 'ledger-writer',
      says: 'The only writer of the registry: record, edges and audit event in one transaction.',
      may: [
        allow(['dynamodb:GetItem', 'dynamodb:PutItem'], [names.registry.arn]),
        allow(['events:PutEvents'], [names.bus.arn]),
      ],
      timeout: Duration.seconds(60),
      memoryMiB: 512,
    });

    new PlatformTable(this, 'Registry', {
      tableName: names.registry.name,
      // Not the key that AWS manages for the account: with it, no other account could read the table.
      encryption: TableEncryptionV2.dynamoOwnedKey(),
      globalSecondaryIndexes: [
        {
          indexName: REGISTRY_CLASS_INDEX,
          partitionKey: { name: 'gsi1pk', type: AttributeType.STRING },
          sortKey: { name: 'gsi1sk', type: AttributeType.STRING },
          projectionType: ProjectionType.ALL,
        },
      ],
      ...(onlyInAws(this, 'registry-deny-policy', () => ({
        resourcePolicy: new PolicyDocument({
          statements: [
            new PolicyStatement({
              sid: 'OnlyTheWriterWrites',
              effect: Effect.DENY,
              principals: [new AnyPrincipal()],
              actions: [
                'dynamodb:PutItem',
                'dynamodb:UpdateItem',
                'dynamodb:DeleteItem',
                'dynamodb:BatchWriteItem',
                'dynamodb:PartiQLInsert',
                'dynamodb:PartiQLUpdate',
                'dynamodb:PartiQLDelete',
              ],
              resources: ['*'],
              conditions: { ArnNotEquals: { 'aws:PrincipalArn': writer.role.roleArn } },
            }),
            ...(readers.length === 0
              ? []
              : [
                  new PolicyStatement({
                    sid: 'PlanesRead',
                    principals: readers,
                    actions: ['dynamodb:GetItem', 'dynamodb:Query'],
                    resources: ['*'],
                  }),
                ]),
          ],
        }),
      })) ?? {}),
    });
    for (const account of others)
      onlyInAws(this, 'cross-account-policy', () =>
        writer.fn.addPermission(`Plane${account}`, {
          principal: new AccountPrincipal(account),
          action: 'lambda:InvokeFunction',
        }),
      );

    const logs = new SecureBucket(this, 'EvidenceLogs', {
      bucketName: `${names.evidenceBucket}-logs`,
      removalPolicy: this.keep,
      lifecycleRules: [{ expiration: Duration.days(400) }],
    });
    const evidence = new SecureBucket(this, 'Evidence', {
      bucketName: names.evidenceBucket,
      removalPolicy: this.keep,
      objectLock: true,
      logsTo: logs,
    });
    (evidence.node.defaultChild as unknown as { objectLockConfiguration: unknown }).objectLockConfiguration = {
      objectLockEnabled: 'Enabled',
      rule: {
        defaultRetention: {
          mode: ObjectLockRetention.compliance(Duration.days(config.data.evidenceRetentionDays)).mode,
          days: config.data.evidenceRetentionDays,
        },
      },
    };
    const signing = new Key(this, 'CheckpointKey', {
      alias: `alias/${names.prefix}-checkpoint`,
      description: 'Signs the heads of all hash chains; the private half never leaves KMS.',
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: this.keep,
    });
    const checkpoint = new PlatformFunction(this, 'Checkpoint', {
      config,
      name: 'ledger-checkpoint',
      says: 'Signs the heads of all chains and keeps them where nobody can change them.',
      may: [
        allow(['dynamodb:Query'], [`${names.registry.arn}/index/${REGISTRY_CLASS_INDEX}`]),
        allow(['kms:Sign'], [signing.keyArn]),
        allow(['s3:PutObject'], [`arn:aws:s3:::${names.evidenceBucket}/checkpoints/*`]),
      ],
      environment: { MILLWRIGHT_CHECKPOINT_KEY: signing.keyArn },
    });
    new OwnersAlarm(this, 'CheckpointErrors', {
      stack: this,
      alarmName: `${names.prefix}-checkpointerrors`,
      says: 'Heads of the chains are not being signed: the history of the last hours rests on the table alone.',
      metric: checkpoint.fn.metricErrors({ period: Duration.hours(1) }),
    });
    new Rule(this, 'CheckpointHourly', {
      ruleName: `${names.prefix}-checkpoint`,
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [new LambdaFunction(checkpoint.fn)],
    });
    new PlatformHealth(this, { plane: 'governance', checkpoints: true });
  }

  /** One relay for each account, beside governance's own, that some plane lives in. */
  private relays(): Map<string, string> {
    const relays = new Map<string, string>();
    for (const { account, region } of Object.values(this.config.planes))
      if (account !== this.account && !relays.has(account)) relays.set(account, region);
    return relays;
  }
}
