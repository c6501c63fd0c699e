import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { AccountPrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { LANDED_TABLES } from '#core/contracts/lake-tables.ts';
import { onlyInAws } from '../aspects/only-in-aws.ts';
import { Compaction } from '../constructs/compaction.ts';
import { FeatureStore } from '../constructs/feature-store.ts';
import { grants } from '../constructs/grants.ts';
import { allow, PlatformFunction } from '../constructs/platform-function.ts';
import { PlatformTable } from '../constructs/platform-table.ts';
import { consume, WorkQueue } from '../constructs/work-queue.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';

/** A claim on a message outlives whoever made it: the function that may write is gone by then. */
const WRITER_TIMEOUT = Duration.seconds(60);
const LEASE = Duration.seconds(75);

/** Data plane: how frames, plant events, decisions and small messages come in, and how they become features. */
export class IngestStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Ingest', 'data', 'Millwright: from raw uploads to registered, checked data and features.', props);
    const { names, config } = this;

    const uploads = (id: string, name: string, prefix: string, batchSize: number, consumer: PlatformFunction) => {
      const work = new WorkQueue(this, `${id}Queue`, {
        queueName: `${names.prefix}-${name}`,
        consumerTimeout: Duration.seconds(120),
      });
      consume(consumer, work.queue, { size: batchSize });
      new Rule(this, `${id}Rule`, {
        ruleName: `${names.prefix}-${name}`,
        eventPattern: {
          source: ['aws.s3'],
          detailType: ['Object Created'],
          detail: { bucket: { name: [names.lakeBucket] }, object: { key: [{ prefix }] } },
        },
        targets: [new SqsQueue(work.queue, { deadLetterQueue: work.dead })],
      });
    };

    uploads(
      'Upload',
      'register-upload',
      'raw/frames/',
      10,
      new PlatformFunction(this, 'RegisterUpload', {
        config,
        name: 'register-upload',
        says: 'Checks frames of an upload, puts bad ones aside, says what their quality is, registers the object.',
        may: [
          ...grants.land(this, ['quality'], { read: ['raw/frames/*'], write: ['quarantine/*'] }),
          ...grants.readRegistry(this, 'latest', 'list'),
          grants.writeLedger(this),
        ],
        timeout: Duration.seconds(120),
        memoryMiB: 512,
        // Longer than it may run.
        environment: { MILLWRIGHT_LEASE_MS: String(Duration.seconds(150).toMilliseconds()) },
      }),
    );
    uploads(
      'Decisions',
      'record-decisions',
      'inbox/decisions/',
      10,
      new PlatformFunction(this, 'RecordDecisions', {
        config,
        name: 'record-decisions',
        says: 'Proves an object of decisions by its Merkle root, writes the table, registers the object.',
        may: [
          ...grants.readLake(this, 'inbox/decisions/*'),
          ...grants.writeLake(this, 'decisions/*', 'quarantine/*'),
          grants.writeLedger(this),
        ],
        timeout: Duration.seconds(120),
        memoryMiB: 512,
      }),
    );

    new PlatformTable(this, 'LandingTable', {
      tableName: names.landingTable.name,
      timeToLiveAttribute: 'expires',
    });
    const messages = new WorkQueue(this, 'MessageQueue', {
      queueName: names.messageQueue.name,
      consumerTimeout: WRITER_TIMEOUT,
      sender: { account: config.planes.plant.account, roleArn: names.digestRuleRole.arn },
    });
    const lease = { MILLWRIGHT_LEASE_MS: String(LEASE.toMilliseconds()) };
    const writer = new PlatformFunction(this, 'BatchWriter', {
      config,
      name: 'batch-writer',
      says: 'Writes small messages of devices and uploads of observations to the lake, each once, many in one file.',
      may: [
        ...grants.land(this, LANDED_TABLES, {
          read: ['raw/observations/*'],
          write: ['quarantine/*'],
          list: ['quarantine/*'],
        }),
        ...grants.readRegistry(this, 'list'),
        grants.writeLedger(this),
      ],
      timeout: WRITER_TIMEOUT,
      memoryMiB: 1024,
      environment: lease,
    });
    consume(writer, messages.queue, { size: 100, window: Duration.seconds(config.local ? 2 : 60) });
    new PlatformFunction(this, 'Quarantine', {
      config,
      name: 'quarantine',
      says: 'Lists what was put aside, shows it, and gives it to the check again.',
      may: [
        ...grants.land(this, LANDED_TABLES, {
          read: ['quarantine/*', 'raw/observations/*', 'raw/frames/*'],
          list: ['quarantine/*'],
        }),
        ...grants.readRegistry(this, 'latest', 'list'),
        grants.writeLedger(this),
        allow(
          ['sqs:SendMessage'],
          [names.uploadQueue, names.eventsQueue, names.decisionsQueue].map((queue) => queue.arn),
        ),
      ],
      timeout: Duration.minutes(5),
      memoryMiB: 1024,
      // It may run longer than the writer, and so may what it claims.
      environment: { MILLWRIGHT_LEASE_MS: String(Duration.minutes(6).toMilliseconds()) },
    });
    uploads('Observations', 'take-observations', 'raw/observations/', 1, writer);

    uploads(
      'Events',
      'plant-events',
      'inbox/events/',
      5,
      new PlatformFunction(this, 'PlantEvents', {
        config,
        name: 'plant-events',
        says: 'Takes what the plant knows (failures, findings, repairs), sent or in files, keeps it, registers it.',
        may: [
          ...grants.readLake(this, 'inbox/events/*'),
          ...grants.writeLake(this, 'raw/events/*', 'quarantine/*'),
          ...grants.readRegistry(this, 'latest'),
          grants.writeLedger(this),
        ],
        timeout: Duration.seconds(120),
      }),
    );
    const materialise = new PlatformFunction(this, 'Materialise', {
      config,
      name: 'materialise',
      says: 'Frames of some runs of a snapshot to feature rows, by the same code as the device.',
      may: [
        ...grants.readLake(this, 'raw/frames/*', 'snapshots/*'),
        ...grants.writeLake(this, 'features/*'),
        ...grants.readRegistry(this, 'latest'),
      ],
      timeout: Duration.minutes(10),
      memoryMiB: 1024,
    });
    if (config.planes.ml.account !== this.account)
      onlyInAws(this, 'cross-account-policy', () =>
        materialise.fn.addPermission('Retrain', {
          principal: new AccountPrincipal(config.planes.ml.account),
          action: 'lambda:InvokeFunction',
        }),
      );
    new FeatureStore(this);
    new Compaction(this);
  }
}
