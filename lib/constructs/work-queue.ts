import { Duration } from 'aws-cdk-lib';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { onlyInAws } from '../aspects/only-in-aws.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { DeadLetters } from './dead-letters.ts';
import type { PlatformFunction } from './platform-function.ts';

const LOCAL_HIDDEN_S = 30;

export interface WorkQueueProps {
  readonly queueName: string;
  /**
   * The consumer's timeout: a message is hidden six times as long (AWS's rule for Lambda event sources); on the local
   * plant half a minute at most, so that what a killed function held comes again while somebody watches.
   */
  readonly consumerTimeout: Duration;
  /** Who sends by a role of its own; where the role is of another account, the queue lets it. */
  readonly sender?: { readonly account: string; readonly roleArn: string };
}

/** A queue for a Lambda: four tries, then a dead-letter queue that is kept for two weeks and alarms on its first message. */
export class WorkQueue extends Construct {
  readonly queue: Queue;
  readonly dead: Queue;

  constructor(stack: PlatformStack, id: string, props: WorkQueueProps) {
    super(stack, id);
    this.dead = new DeadLetters(this, 'Dead', {
      stack,
      queueName: `${props.queueName}-dead`,
      says: `Messages of ${props.queueName} failed four times and wait in its dead-letter queue: nothing is lost, someone must look.`,
    }).queue;
    this.queue = new Queue(this, 'Queue', {
      queueName: props.queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: !stack.config.local,
      visibilityTimeout: Duration.seconds(
        Math.min(props.consumerTimeout.toSeconds() * 6, stack.config.local ? LOCAL_HIDDEN_S : Number.POSITIVE_INFINITY),
      ),
      deadLetterQueue: { queue: this.dead, maxReceiveCount: 4 },
    });
    const { sender } = props;
    if (sender !== undefined && sender.account !== stack.account)
      onlyInAws(this, 'cross-account-policy', () =>
        this.queue.addToResourcePolicy(
          new PolicyStatement({
            sid: 'Sender',
            // A policy may name no role that is made later: the account, and of it that role.
            principals: [new AccountPrincipal(sender.account)],
            actions: ['sqs:SendMessage'],
            resources: [this.queue.queueArn],
            conditions: { ArnEquals: { 'aws:PrincipalArn': sender.roleArn } },
          }),
        ),
      );
  }
}

export interface Batches {
  readonly size: number;
  readonly window?: Duration;
  /** Calls side by side at most; absent = as many as the account allows. */
  readonly atOnce?: number;
}

/** Lets a Lambda take from a queue of its account in batches; it answers which messages failed, and only they come again. */
export const consume = (consumer: PlatformFunction, queue: IQueue, { size, window, atOnce }: Batches): void =>
  consumer.fn.addEventSource(
    new SqsEventSource(queue, {
      batchSize: size,
      ...(window === undefined ? {} : { maxBatchingWindow: window }),
      ...(atOnce === undefined ? {} : { maxConcurrency: atOnce }),
      reportBatchItemFailures: true,
    }),
  );
