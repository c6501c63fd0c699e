import { Duration } from 'aws-cdk-lib';
import { EventBus, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { EVENT_SOURCE, type EventType } from '#core/contracts/events.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { DeadLetters } from './dead-letters.ts';

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
    const dead = new DeadLetters(this, 'Dead', {
      stack,
      queueName: `${name}-start-dead`,
      says: `${event} could not start ${name}: what was asked for waits in the dead-letter queue, someone must look.`,
    }).queue;
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
