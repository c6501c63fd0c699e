import { Duration, Validations } from 'aws-cdk-lib';
import { EventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { EVENT_SOURCE, type EventType } from '#core/contracts/events.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';

export interface StartOnEventProps {
  readonly stack: PlatformStack;
  readonly event: EventType;
  readonly name: string;
  readonly machine: StateMachine;
}

/** Starts a state machine with the detail of an event of the platform's bus (or its relay in this account). */
export class StartOnEvent extends Construct {
  constructor(scope: Construct, id: string, { stack, event, name, machine }: StartOnEventProps) {
    super(scope, id);
    const dead = new Queue(this, 'Dead', {
      queueName: `${name}-start-dead`,
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: !stack.config.local,
      retentionPeriod: Duration.days(14),
    });
    Validations.of(dead).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'it is the dead-letter queue of a rule',
    });
    Validations.of(dead).acknowledge({
      id: 'AwsSolutions::AwsSolutions-SQS3',
      reason: 'it is the dead-letter queue of a rule on the bus, which cdk-nag does not see',
    });
    new Rule(this, 'Rule', {
      ruleName: `${name}-start`,
      description: `${event} starts ${name}.`,
      eventBus: EventBus.fromEventBusName(this, 'Bus', stack.names.bus.name),
      eventPattern: { source: [EVENT_SOURCE], detailType: [event] },
      targets: [
        new SfnStateMachine(machine, {
          input: RuleTargetInput.fromEventPath('$.detail'),
          deadLetterQueue: dead,
          retryAttempts: 8,
          maxEventAge: Duration.hours(2),
        }),
      ],
    });
  }
}
