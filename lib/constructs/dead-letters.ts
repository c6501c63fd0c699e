import { Duration, Validations } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { OwnersAlarm } from './owners-alarm.ts';

export interface DeadLettersProps {
  readonly stack: PlatformStack;
  readonly queueName: string;
  /** What a message here means, for the one who is woken. */
  readonly says: string;
}

/** Where messages wait that nobody could handle: kept for two weeks, the owners are told of the first one. */
export class DeadLetters extends Construct {
  readonly queue: Queue;

  constructor(scope: Construct, id: string, { stack, queueName, says }: DeadLettersProps) {
    super(scope, id);
    this.queue = new Queue(this, 'Queue', {
      queueName,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: !stack.config.local,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(this.queue).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'it is the dead-letter queue',
    });
    new OwnersAlarm(this, 'Alarm', {
      stack,
      alarmName: queueName,
      says,
      metric: this.queue.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
    });
  }
}
