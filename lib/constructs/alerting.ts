import { Duration } from 'aws-cdk-lib';
import { EventBus, Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Construct } from 'constructs';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { grants } from './grants.ts';
import { PlatformFunction } from './platform-function.ts';
import { consume, WorkQueue } from './work-queue.ts';

/** From recorded decisions to alerts: only objects with a run that a model calls failing wake anything. */
export class Alerting extends Construct {
  constructor(stack: PlatformStack) {
    super(stack, 'Alerting');
    const { config, names } = stack;
    const timeout = Duration.seconds(60);
    const { queue, dead } = new WorkQueue(stack, 'AlertQueue', {
      queueName: `${names.prefix}-raise-alerts`,
      consumerTimeout: timeout,
    });
    const raise = new PlatformFunction(this, 'Raise', {
      config,
      name: 'raise-alerts',
      says: 'Raises one alert for each run that a model calls failing.',
      may: [
        ...grants.readLake(stack, 'inbox/decisions/*'),
        ...grants.readRegistry(stack, 'latest'),
        grants.writeLedger(stack),
      ],
      timeout,
    });
    consume(raise, queue, { size: 10 });
    new Rule(this, 'Rule', {
      ruleName: `${names.prefix}-raise-alerts`,
      description: 'Decisions of a run that a model calls failing raise its alert.',
      eventBus: EventBus.fromEventBusName(this, 'Bus', names.bus.name),
      eventPattern: {
        source: [EVENT_SOURCE],
        detailType: ['DecisionsRecorded'],
        detail: { runs: { failing: Match.greaterThan(0) } },
      },
      targets: [new SqsQueue(queue, { deadLetterQueue: dead })],
    });
  }
}
