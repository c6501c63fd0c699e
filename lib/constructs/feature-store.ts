import { Duration } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import { backfillKeys } from '#core/contracts/lake.ts';
import { LAKE_TABLES } from '#core/contracts/lake-tables.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { backfillDefinition } from './backfill-workflow/definition.ts';
import { grants } from './grants.ts';
import { RecordEnd } from './on-ended.ts';
import { StartOnEvent } from './on-event.ts';
import { allow, arnsOf, PlatformFunction } from './platform-function.ts';
import { consume, WorkQueue } from './work-queue.ts';
import { Workflow } from './workflow.ts';

/** Rows of one batch of uploads, or of one part of a backfill: seconds, minutes where windows are long. */
const TIMEOUT = Duration.minutes(10);
/** Functions at work side by side: what the store costs at most while uploads come in. */
const MOST_AT_ONCE = 10;

/** The offline store of features: kept up with what is registered, and filled for what was there before. */
export class FeatureStore extends Construct {
  constructor(stack: PlatformStack) {
    super(stack, 'FeatureStore');
    const { names, config } = stack;
    const rows = `${LAKE_TABLES.features.prefix}/*`;
    const parts = `${backfillKeys.all}*`;
    const store = [
      ...grants.readLake(stack, 'raw/frames/*', rows),
      grants.listLake(stack, 'raw/frames/*', rows),
      ...grants.readRegistry(stack, 'latest', 'versions'),
    ];

    if (config.featureStore.onUpload) {
      const work = new WorkQueue(stack, 'StoreQueue', {
        queueName: `${names.prefix}-store-features`,
        consumerTimeout: TIMEOUT,
      });
      const storing = new PlatformFunction(this, 'StoreFeatures', {
        config,
        name: 'store-features',
        says: 'Rows of published feature sets for frames that were registered, by the same code as the device.',
        may: [...store, ...grants.writeLake(stack, rows), ...grants.readRegistry(stack, 'list')],
        timeout: TIMEOUT,
        memoryMiB: 1024,
      });
      consume(storing, work.queue, {
        size: 10,
        window: Duration.seconds(config.local ? 2 : 60),
        atOnce: MOST_AT_ONCE,
      });
      new Rule(this, 'Registered', {
        ruleName: `${names.prefix}-store-features`,
        eventBus: EventBus.fromEventBusName(this, 'Bus', names.bus.name),
        eventPattern: { source: [EVENT_SOURCE], detailType: ['FramesRegistered'] },
        targets: [new SqsQueue(work.queue, { deadLetterQueue: work.dead })],
      });
    }

    const ledger = grants.writeLedger(stack);
    const made = {
      'list-backfill': new PlatformFunction(this, 'ListBackfill', {
        config,
        name: 'list-backfill',
        says: 'Cuts a backfill of the feature store into parts.',
        may: [
          ...grants.readRegistry(stack, 'latest', 'versions'),
          ledger,
          grants.listLake(stack, 'raw/frames/*'),
          ...grants.writeLake(stack, parts),
        ],
        timeout: Duration.minutes(9),
        memoryMiB: 1024,
      }),
      'backfill-part': new PlatformFunction(this, 'BackfillPart', {
        config,
        name: 'backfill-part',
        says: 'Rows of a feature set for some frames of a run that are there already.',
        may: [...store, ...grants.writeLake(stack, rows, parts)],
        timeout: TIMEOUT,
        memoryMiB: 1536,
      }),
      'record-backfill': new PlatformFunction(this, 'RecordBackfill', {
        config,
        name: 'record-backfill',
        says: 'Records what the parts of a backfill did, and how it ended.',
        may: [
          ...grants.readRegistry(stack, 'latest'),
          ledger,
          ...grants.readLake(stack, parts),
          grants.listLake(stack, parts),
        ],
        timeout: Duration.minutes(4),
        memoryMiB: 512,
      }),
    };
    const functions = arnsOf(made);
    const executions = `arn:aws:states:${stack.region}:${stack.account}:execution:${names.backfill.name}`;
    const { machine } = new Workflow(this, 'Backfill', {
      name: names.backfill.name,
      says: 'Backfill: features of what was recorded before, by one feature set.',
      definition: backfillDefinition({ functions, bucket: names.lakeBucket }),
      may: [
        allow(['lambda:InvokeFunction'], Object.values(functions)),
        ...grants.readLake(stack, parts),
        // A Distributed Map runs each part as an execution of its own.
        allow(['states:StartExecution'], [names.backfill.arn]),
        allow(['states:DescribeExecution', 'states:StopExecution'], [`${executions}:*`, `${executions}/*`]),
      ],
    });
    new RecordEnd(this, 'OnEnd', {
      stack,
      name: names.backfill.name,
      arn: names.backfill.arn,
      recorder: made['record-backfill'],
    });
    new StartOnEvent(this, 'OnRequest', { stack, event: 'BackfillRequested', name: names.backfill.name, machine });
  }
}
