import { connect as connectTls } from 'node:tls';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  CreateTopicRuleCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateStateMachineCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';
import { CreateQueueCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { connect } from 'mqtt';
import type { LocalAws } from '../../../local/aws/start-aws.ts';
import { client, lambda, role, runMachine, startForTest, stateFolder, until } from './local-aws.ts';

jest.setTimeout(120_000);

const folder = stateFolder();
let aws: LocalAws;
let roleArn: string;
let s3: S3Client;
let sqs: SQSClient;

beforeAll(async () => {
  aws = await startForTest(folder.dir);
  roleArn = await role(aws.url);
  s3 = new S3Client({ ...client(aws.url), forcePathStyle: true });
  sqs = new SQSClient(client(aws.url));
});

afterAll(async () => {
  await aws?.stop();
  folder.remove();
});

const queue = async (name: string) => {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { url: QueueUrl as string, arn: Attributes?.QueueArn as string };
};

const nextMessage = async (url: string): Promise<string> => {
  const got = await until(
    () => sqs.send(new ReceiveMessageCommand({ QueueUrl: url, WaitTimeSeconds: 1 })),
    (answer) => (answer.Messages ?? []).length > 0,
  );
  return got.Messages?.[0]?.Body ?? '';
};

test('a distributed map runs a Lambda for each line of an object', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: 'items' }));
  await s3.send(new PutObjectCommand({ Bucket: 'items', Key: 'list.jsonl', Body: '{"n":1}\n{"n":2}\n{"n":3}\n' }));
  const arn = await lambda(
    aws.url,
    roleArn,
    'double',
    'export const handler = async (e) => ({ n: e.n * 2, run: e.run });',
  );
  const ended = await runMachine(
    aws.url,
    roleArn,
    {
      StartAt: 'Each',
      States: {
        Each: {
          Type: 'Map',
          MaxConcurrency: 2,
          ItemReader: {
            Resource: 'arn:aws:states:::s3:getObject',
            ReaderConfig: { InputType: 'JSONL' },
            Parameters: { Bucket: 'items', 'Key.$': '$.key' },
          },
          ItemSelector: { 'n.$': '$$.Map.Item.Value.n', 'run.$': '$.run' },
          ItemProcessor: {
            ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
            StartAt: 'Double',
            States: {
              Double: {
                Type: 'Task',
                Resource: 'arn:aws:states:::lambda:invoke',
                Parameters: { FunctionName: arn, 'Payload.$': '$' },
                OutputPath: '$.Payload',
                End: true,
              },
            },
          },
          End: true,
        },
      },
    },
    { key: 'list.jsonl', run: 'r1' },
  );
  expect(JSON.parse(ended.output ?? '')).toEqual([2, 4, 6].map((n) => ({ n, run: 'r1' })));
});

test('a task waits for its token', async () => {
  const { url } = await queue('tokens');
  const answering = nextMessage(url).then((body) =>
    new SFNClient(client(aws.url)).send(
      new SendTaskSuccessCommand({ taskToken: JSON.parse(body).token, output: '{"approved":true}' }),
    ),
  );
  const ended = await runMachine(aws.url, roleArn, {
    StartAt: 'Ask',
    States: {
      Ask: {
        Type: 'Task',
        Resource: 'arn:aws:states:::sqs:sendMessage.waitForTaskToken',
        Parameters: { QueueUrl: url, MessageBody: { 'token.$': '$$.Task.Token' } },
        TimeoutSeconds: 60,
        End: true,
      },
    },
  });
  await answering;
  expect(JSON.parse(ended.output ?? '')).toEqual({ approved: true });
});

test('a state machine waits for another and gets its output as JSON', async () => {
  const inner = await new SFNClient(client(aws.url)).send(
    new CreateStateMachineCommand({
      name: 'inner',
      roleArn,
      definition: JSON.stringify({
        StartAt: 'Wait',
        States: { Wait: { Type: 'Wait', Seconds: 1, Next: 'Done' }, Done: { Type: 'Pass', End: true } },
      }),
    }),
  );
  const ended = await runMachine(aws.url, roleArn, {
    StartAt: 'Wave',
    States: {
      Wave: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: inner.stateMachineArn, Input: { ring: 0 } },
        OutputPath: '$.Output',
        End: true,
      },
    },
  });
  expect(JSON.parse(ended.output ?? '')).toEqual({ ring: 0 });
});

test('a failed inner state machine fails the outer task', async () => {
  const inner = await new SFNClient(client(aws.url)).send(
    new CreateStateMachineCommand({
      name: 'failing',
      roleArn,
      definition: JSON.stringify({ StartAt: 'No', States: { No: { Type: 'Fail', Error: 'Refused', Cause: 'why' } } }),
    }),
  );
  const ended = await runMachine(aws.url, roleArn, {
    StartAt: 'Wave',
    States: {
      Wave: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: inner.stateMachineArn, Input: {} },
        End: true,
      },
    },
  });
  expect(ended.status).toBe('FAILED');
  expect(ended.error).toBe('States.TaskFailed');
  expect(JSON.parse(ended.cause ?? '')).toMatchObject({ Status: 'FAILED', Error: 'Refused', Cause: 'why' });
});

test('an inner execution whose name was used is refused', async () => {
  const inner = await new SFNClient(client(aws.url)).send(
    new CreateStateMachineCommand({
      name: 'named',
      roleArn,
      definition: JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Pass', End: true } } }),
    }),
  );
  const outer = {
    StartAt: 'Wave',
    States: {
      Wave: {
        Type: 'Task',
        Resource: 'arn:aws:states:::states:startExecution.sync:2',
        Parameters: { StateMachineArn: inner.stateMachineArn, Name: 'wave-1', Input: {} },
        End: true,
      },
    },
  };
  expect((await runMachine(aws.url, roleArn, outer)).status).toBe('SUCCEEDED');
  const second = await runMachine(aws.url, roleArn, outer);
  expect(second.error).toBe('StepFunctions.ExecutionAlreadyExistsException');
});

test('an uploaded object reaches a queue through EventBridge', async () => {
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }));
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket: 'lake',
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
  const { url, arn } = await queue('uploads');
  const events = new EventBridgeClient(client(aws.url));
  await events.send(
    new PutRuleCommand({
      Name: 'uploads',
      EventPattern: JSON.stringify({
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: ['lake'] }, object: { key: [{ prefix: 'raw/' }] } },
      }),
    }),
  );
  await events.send(new PutTargetsCommand({ Rule: 'uploads', Targets: [{ Id: 'q', Arn: arn }] }));
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'other/x', Body: 'x' }));
  await s3.send(new PutObjectCommand({ Bucket: 'lake', Key: 'raw/frames/a.ndjson.gz', Body: 'x' }));
  expect(JSON.parse(await nextMessage(url)).detail.object.key).toBe('raw/frames/a.ndjson.gz');
});

test('a report over MQTT with a client certificate reaches a queue through a rule', async () => {
  const { url } = await queue('reports');
  const iot = new IoTClient(client(aws.url));
  await iot.send(new CreateThingCommand({ thingName: 'edge-1' }));
  const certificate = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(
    new CreatePolicyCommand({
      policyName: 'device',
      policyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 'iot:*', Resource: '*' }],
      }),
    }),
  );
  const principal = certificate.certificateArn as string;
  await iot.send(new AttachPolicyCommand({ policyName: 'device', target: principal }));
  await iot.send(new AttachThingPrincipalCommand({ thingName: 'edge-1', principal }));
  await iot.send(
    new CreateTopicRuleCommand({
      ruleName: 'reports',
      topicRulePayload: {
        sql: "SELECT *, topic(2) AS device FROM 'mw/+/report'",
        awsIotSqlVersion: '2016-03-23',
        actions: [{ sqs: { roleArn, queueUrl: url, useBase64: false } }],
      },
    }),
  );
  const ca = await (await fetch(aws.mqttCaUrl)).text();
  const mqtt = connect({
    host: '127.0.0.1',
    port: aws.mqttPort,
    protocol: 'mqtts',
    clientId: 'edge-1',
    ca,
    cert: certificate.certificatePem ?? '',
    key: certificate.keyPair?.PrivateKey ?? '',
    // On Python 3.11.2 the emulator leaves the first connection unanswered; a device tries again, and so does this.
    connectTimeout: 5000,
    reconnectPeriod: 200,
  });
  mqtt.on('error', () => {});
  try {
    await new Promise<void>((resolve) => mqtt.once('connect', () => resolve()));
    await mqtt.publishAsync('mw/edge-1/report', '{"state":"ok"}', { qos: 1 });
    expect(JSON.parse(await nextMessage(url))).toEqual({ state: 'ok', device: 'edge-1' });
  } finally {
    await mqtt.endAsync();
  }
});

test('a connection without a client certificate is refused', async () => {
  const ca = await (await fetch(aws.mqttCaUrl)).text();
  const socket = connectTls({ host: '127.0.0.1', port: aws.mqttPort, ca });
  const ended = await new Promise<string>((resolve) => {
    socket.once('error', () => resolve('refused'));
    socket.once('close', () => resolve('refused'));
    socket.once('data', () => resolve('answered'));
    // The least MQTT CONNECT there is, client id "x".
    socket.write(Buffer.from([0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 1, 0x78]));
  });
  socket.destroy();
  expect(ended).toBe('refused');
});
