import { Duration } from 'aws-cdk-lib';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { DeadLetters } from './dead-letters.ts';
import type { PlatformFunction } from './platform-function.ts';

export interface WorkQueueProps {
  readonly queueName: string;
  readonly consumer: PlatformFunction;
  /** The consumer's timeout: a message is hidden six times as long (AWS's rule for Lambda event sources). */
  readonly consumerTimeout: Duration;
  readonly batchSize: number;
  readonly batchWindow?: Duration;
}

/**
 * A queue in front of a Lambda: partial batch responses, four tries, then a dead-letter queue that is kept for two
 * weeks and alarms on its first message.
 */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;

  constructor(scope: Construct, id: string, props: WorkQueueProps) {
    super(scope, id);
    const enforceSSL = scope.node.tryGetContext('millwright:local') !== true;
    this.dead = new DeadLetters(this, 'Dead', {
      queueName: `${props.queueName}-dead`,
      says: `Messages of ${props.queueName} failed four times and wait in its dead-letter queue: nothing is lost, someone must look.`,
      enforceSSL,
    }).queue;
    this.queue = new Queue(this, 'Queue', {
      queueName: props.queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL,
      visibilityTimeout: Duration.seconds(props.consumerTimeout.toSeconds() * 6),
      deadLetterQueue: { queue: this.dead, maxReceiveCount: 4 },
    });
    props.consumer.fn.addEventSource(
      new SqsEventSource(this.queue, {
        batchSize: props.batchSize,
        ...(props.batchWindow === undefined ? {} : { maxBatchingWindow: props.batchWindow }),
        reportBatchItemFailures: true,
      }),
    );
  }
}
