import { Duration } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { EVENT_SOURCE } from '#core/contracts/events.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { DeadLetters } from './dead-letters.ts';

const of = (field: string): string => EventField.fromPath(`$.detail.${field}`);

/** Where the people of a plant are told of its alerts, in a sentence with the next action: one topic for each site. */
export class PlantTopics extends Construct {
  constructor(stack: PlatformStack) {
    super(stack, 'PlantTopics');
    const { config, names } = stack;
    const key = new Key(this, 'Key', {
      alias: `alias/${names.prefix}-plants`,
      description: 'Encrypts notifications to the people of the plants.',
      enableKeyRotation: true,
      removalPolicy: stack.keep,
    });
    const unsent = new DeadLetters(this, 'Unsent', {
      stack,
      queueName: `${names.prefix}-plant-notices-dead`,
      says: 'Alerts were raised and the people of their plant could not be told: see "millwright alerts".',
    }).queue;
    const eventBus = EventBus.fromEventBusName(this, 'Bus', names.bus.name);
    for (const { id, title, notifyEmail } of config.sites) {
      const topic = new Topic(this, `Topic-${id}`, {
        topicName: names.plantTopic(id),
        displayName: title.slice(0, 100),
        masterKey: key,
        enforceSSL: !config.local,
      });
      if (notifyEmail !== undefined) topic.addSubscription(new EmailSubscription(notifyEmail));
      new Rule(this, `Rule-${id}`, {
        description: `Alerts of ${id} go to its people.`,
        eventBus,
        eventPattern: { source: [EVENT_SOURCE], detailType: ['AlertRaised'], detail: { site: [id] } },
        // The target opens the topic and its key to rules.
        targets: [
          new SnsTopic(topic, {
            message: RuleTargetInput.fromText(
              `${of('asset')}: ${of('says')}. Next: ${of('nextAction')}. See: millwright alerts show ${of('alertId')}`,
            ),
            deadLetterQueue: unsent,
            maxEventAge: Duration.hours(6),
          }),
        ],
      });
    }
  }
}
