import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SetQueueAttributesCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeployedPlant } from './deployed-plant.ts';

/**
 * Subscribes a new queue to a topic of the local AWS.
 * @returns what reads the bodies of up to ten further messages, waiting a second for the first.
 */
export const subscribe = async (plant: DeployedPlant, topicName: string): Promise<() => Promise<string[]>> => {
  const sqs = new SQSClient(plant.client);
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: `reads-${topicName}` }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  const TopicArn = `arn:aws:sns:us-east-1:000000000000:${topicName}`;
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: Attributes?.['QueueArn'],
        Condition: { ArnEquals: { 'aws:SourceArn': TopicArn } },
      },
    ],
  });
  await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { Policy } }));
  await new SNSClient(plant.client).send(
    new SubscribeCommand({
      TopicArn,
      Protocol: 'sqs',
      Endpoint: Attributes?.['QueueArn'],
      Attributes: { RawMessageDelivery: 'true' },
    }),
  );
  return async () => {
    const { Messages } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    return (Messages ?? []).map(({ Body }) => Body as string);
  };
};
