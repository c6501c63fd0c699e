import { Duration } from 'aws-cdk-lib';
import { Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { DeadLetters } from './dead-letters.ts';
import type { PlatformFunction } from './platform-function.ts';

export interface RecordEndProps {
  readonly stack: PlatformStack;
  /** Name of the workflow, and its ARN. */
  readonly name: string;
  readonly arn: string;
  /** The function of its last step, which knows these events too. */
  readonly recorder: PlatformFunction;
}

/**
 * A workflow writes its own end as its last step. One that is stopped by hand or takes too long never gets there: its
 * record would say for ever that it runs. Step Functions tells of every end; a record that is written stays as it is.
 */
export class RecordEnd extends Construct {
  constructor(scope: Construct, id: string, { stack, name, arn, recorder }: RecordEndProps) {
    super(scope, id);
    const dead = new DeadLetters(this, 'Dead', {
      stack,
      queueName: `${name}-end-dead`,
      says: `The end of an execution of ${name} could not be recorded: its record says that it still runs.`,
    }).queue;
    new Rule(this, 'Rule', {
      ruleName: `${name}-end`,
      description: `Records how ${name} ended where it could not do so itself.`,
      eventPattern: {
        source: ['aws.states'],
        detailType: ['Step Functions Execution Status Change'],
        detail: { status: ['FAILED', 'TIMED_OUT', 'ABORTED'], stateMachineArn: [arn] },
      },
      targets: [
        new LambdaFunction(recorder.fn, { deadLetterQueue: dead, retryAttempts: 8, maxEventAge: Duration.hours(2) }),
      ],
    });
  }
}
