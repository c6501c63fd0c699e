import { Duration } from 'aws-cdk-lib';
import { EventBus, EventField, Rule, RuleTargetInput } from 'aws-cdk-lib/aws-events';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { EVENT_SOURCE, type EventType } from '#core/contracts/events.ts';
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
      const tell = (name: string, description: string, event: EventType, text: string): void => {
        new Rule(this, name, {
          description,
          eventBus,
          eventPattern: { source: [EVENT_SOURCE], detailType: [event], detail: { site: [id] } },
          // The target opens the topic and its key to rules.
          targets: [
            new SnsTopic(topic, {
              message: RuleTargetInput.fromText(text),
              deadLetterQueue: unsent,
              maxEventAge: Duration.hours(6),
            }),
          ],
        });
      };
      tell(
        `Rule-${id}`,
        `Alerts of ${id} go to its people.`,
        'AlertRaised',
        `${of('asset')}: ${of('says')}. Next: ${of('nextAction')}. See: millwright alerts show ${of('alertId')}`,
      );
      tell(
        `Labels-${id}`,
        `Requests for labels of ${id} go to its people.`,
        'LabelsRequested',
        `${of('says')}. See: millwright labels ${of('modelLine')}`,
      );
      tell(
        `Questions-${id}`,
        `Questions of the judge go to the people of ${id}.`,
        'OperatorAsked',
        `${of('says')}. See: millwright lines ${of('modelLine')}`,
      );
    }
  }
}
