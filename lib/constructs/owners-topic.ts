import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import type { PlatformStack } from '../stacks/platform-stack.ts';

/** Where the owners are told; one in each account, for an alarm acts on topics of its own account only. */
export class OwnersTopic extends Construct {
  /** @param ofRules whether rules of the bus publish here too. */
  constructor(stack: PlatformStack, ofRules: boolean) {
    super(stack, 'OwnersTopic');
    const { config, names } = stack;
    const key = new Key(this, 'Key', {
      alias: `alias/${names.prefix}-owners`,
      description: 'Encrypts notifications to the owners of the platform and its model lines.',
      enableKeyRotation: true,
      removalPolicy: stack.keep,
    });
    const topic = new Topic(this, 'Topic', {
      topicName: names.ownersTopic,
      masterKey: key,
      enforceSSL: !config.local,
    });
    // A topic with a policy of its own is closed to services, and its key too, unless both say otherwise.
    const services = [
      {
        sid: 'Alarms',
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        conditions: { StringEquals: { 'aws:SourceAccount': stack.account } },
      },
      // EventBridge supports no conditions in the policy of a topic.
      ...(ofRules ? [{ sid: 'Rules', principals: [new ServicePrincipal('events.amazonaws.com')] }] : []),
    ];
    for (const service of services) {
      topic.addToResourcePolicy(
        new PolicyStatement({ ...service, actions: ['sns:Publish'], resources: [topic.topicArn] }),
      );
      key.addToResourcePolicy(
        new PolicyStatement({ ...service, actions: ['kms:Decrypt', 'kms:GenerateDataKey*'], resources: ['*'] }),
      );
    }
    if (config.notifications.ownerEmail !== null)
      topic.addSubscription(new EmailSubscription(config.notifications.ownerEmail));
  }
}
