import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  CreateTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateEventSourceMappingCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  GetObjectRetentionCommand,
  PutObjectCommand,
  PutObjectRetentionCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateStateMachineCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { type LocalAws, startAws } from '../../../local/aws/start-aws.ts';
import { freePort, type Service } from '../../../local/shared/service.ts';
import { client, lambda, NODE, processGroup, REPOSITORY, role, startForTest, stateFolder, until } from './local-aws.ts';

jest.setTimeout(120_000);

const folders: { dir: string; remove: () => void }[] = [];
const services: Service[] = [];
const programs: ChildProcess[] = [];

const folder = (): string => {
  const made = stateFolder();
  folders.push(made);
  return made.dir;
};

const start = async (dir: string): Promise<LocalAws> => {
  const aws = await startForTest(dir);
  services.push(aws);
  return aws;
};

/** The local AWS started by a program of its own, as a person does. */
const startProgram = async (dir: string) => {
  const port = await freePort();
  const program = spawn(
    NODE,
    [
      join(REPOSITORY, 'local/aws/start-aws.ts'),
      '--state',
      dir,
      '--port',
      String(port),
      '--mqtt',
      String(await freePort()),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  programs.push(program);
  await new Promise<void>((resolve, reject) => {
    program.stdout?.once('data', () => resolve());
    program.once('exit', (code) => reject(new Error(`It ended with ${code}.`)));
  });
  const launcher = Number(readFileSync(join(dir, 'aws/lock'), 'utf8'));
  return { program, launcher, url: `http://127.0.0.1:${port}` };
};

afterEach(async () => {
  for (const program of programs.splice(0)) program.kill('SIGKILL');
  await Promise.all(services.splice(0).map((service) => service.stop()));
  for (const made of folders.splice(0)) made.remove();
});

/** A state machine's worth of state: stack, table with a stream, bucket with a locked object, function. */
async function fill(url: string) {
  const roleArn = await role(url);
  await lambda(url, roleArn, 'echo', 'export const handler = async (event) => ({ got: event });');
  const s3 = new S3Client({ ...client(url), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'evidence', ObjectLockEnabledForBucket: true }));
  const put = await s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'a/b.json', Body: '{"x":1}' }));
  await s3.send(
    new PutObjectRetentionCommand({
      Bucket: 'evidence',
      Key: 'a/b.json',
      VersionId: put.VersionId,
      Retention: { Mode: 'COMPLIANCE', RetainUntilDate: new Date('2099-01-01T00:00:00Z') },
    }),
  );
  await new CloudFormationClient(client(url)).send(
    new CreateStackCommand({
      StackName: 'one',
      TemplateBody: JSON.stringify({
        Resources: { Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'q' } } },
      }),
    }),
  );
  const dynamo = new DynamoDBClient(client(url));
  await dynamo.send(
    new CreateTableCommand({
      TableName: 'ledger',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  const { Table } = await dynamo.send(new DescribeTableCommand({ TableName: 'ledger' }));
  await new SQSClient(client(url)).send(new CreateQueueCommand({ QueueName: 'seen' }));
  // Says what it saw without any SDK: the queue is reached over its HTTP interface.
  await lambda(
    url,
    roleArn,
    'reader',
    `import { SQSClient, SendMessageCommand } from '${join(REPOSITORY, 'node_modules/@aws-sdk/client-sqs/dist-cjs/index.js')}';
     const sqs = new SQSClient({});
     export const handler = async (event) => {
       for (const record of event.Records)
         await sqs.send(new SendMessageCommand({ QueueUrl: process.env.AWS_ENDPOINT_URL + '/000000000000/seen', MessageBody: record.dynamodb.Keys.pk.S }));
     };`,
  );
  await new LambdaClient(client(url)).send(
    new CreateEventSourceMappingCommand({
      FunctionName: 'reader',
      EventSourceArn: Table?.LatestStreamArn,
      StartingPosition: 'TRIM_HORIZON',
    }),
  );
  await dynamo.send(new PutItemCommand({ TableName: 'ledger', Item: { pk: { S: 'first' } } }));
  expect(await nextSeen(url)).toBe('first');
}

async function nextSeen(url: string): Promise<string> {
  const sqs = new SQSClient(client(url));
  const got = await until(
    () =>
      sqs.send(
        new ReceiveMessageCommand({ QueueUrl: `${url}/000000000000/seen`, WaitTimeSeconds: 1, VisibilityTimeout: 600 }),
      ),
    (answer) => (answer.Messages ?? []).length > 0,
  );
  return got.Messages?.[0]?.Body ?? '';
}

async function checkFilled(url: string) {
  const stacks = await new CloudFormationClient(client(url)).send(new DescribeStacksCommand({ StackName: 'one' }));
  expect(stacks.Stacks?.[0]?.StackStatus).toBe('CREATE_COMPLETE');
  const invoked = await new LambdaClient(client(url)).send(
    new InvokeCommand({ FunctionName: 'echo', Payload: Buffer.from('{"n":1}') }),
  );
  expect(JSON.parse(Buffer.from(invoked.Payload ?? []).toString())).toEqual({ got: { n: 1 } });
  const dynamo = new DynamoDBClient(client(url));
  const item = await dynamo.send(new GetItemCommand({ TableName: 'ledger', Key: { pk: { S: 'first' } } }));
  expect(item.Item).toEqual({ pk: { S: 'first' } });
  const s3 = new S3Client({ ...client(url), forcePathStyle: true });
  const object = await s3.send(new GetObjectCommand({ Bucket: 'evidence', Key: 'a/b.json' }));
  expect(await object.Body?.transformToString()).toBe('{"x":1}');
  const retention = await s3.send(new GetObjectRetentionCommand({ Bucket: 'evidence', Key: 'a/b.json' }));
  expect(retention.Retention?.Mode).toBe('COMPLIANCE');
  await expect(
    s3.send(new DeleteObjectCommand({ Bucket: 'evidence', Key: 'a/b.json', VersionId: object.VersionId })),
  ).rejects.toThrow(/Access ?Denied/i);
  await dynamo.send(new PutItemCommand({ TableName: 'ledger', Item: { pk: { S: 'second' } } }));
  expect(await nextSeen(url)).toBe('second');
}

test('after a stop and a start everything is there, and a table stream goes on', async () => {
  const dir = folder();
  const before = await start(dir);
  await fill(before.url);
  await before.stop();
  const after = await start(dir);
  await checkFilled(after.url);
});

test('after a kill what was saved is there', async () => {
  const dir = folder();
  const before = await startProgram(dir);
  await fill(before.url);
  const filled = Date.now();
  // The second round began after the last change for certain.
  for (let round = 0, since = filled; round < 2; round += 1) {
    since = await until(
      () => savedAt(dir),
      (at) => at > since,
    );
  }
  process.kill(before.launcher, 'SIGKILL');
  await until(
    () => processGroup(before.launcher),
    (left) => left.length === 0,
  );
  before.program.kill('SIGKILL');
  const after = await start(dir);
  await checkFilled(after.url);
});

test('a kill of the program that started it leaves nothing running', async () => {
  const dir = folder();
  const { program, launcher, url } = await startProgram(dir);
  await lambda(url, await role(url), 'waits', 'setInterval(() => {}, 1000); export const handler = async () => 1;');
  await new LambdaClient(client(url)).send(new InvokeCommand({ FunctionName: 'waits' }));
  expect(processGroup(launcher).length).toBeGreaterThan(1);
  program.kill('SIGKILL');
  expect(
    await until(
      () => processGroup(launcher),
      (left) => left.length === 0,
    ),
  ).toEqual([]);
});

test('stop ends the Lambda workers, and a second stop does nothing', async () => {
  const aws = await start(folder());
  await lambda(
    aws.url,
    await role(aws.url),
    'waits',
    'setInterval(() => {}, 1000); export const handler = async () => 1;',
  );
  await new LambdaClient(client(aws.url)).send(new InvokeCommand({ FunctionName: 'waits' }));
  await aws.stop();
  await aws.stop();
  expect(processGroup(aws.pid)).toEqual([]);
});

test('functions run on the Node of the plant and see where the stand-ins are', async () => {
  const dir = folder();
  const aws = await startForTest(dir, { sagemakerUrl: 'http://127.0.0.1:1', greengrassUrl: 'http://127.0.0.1:2' });
  services.push(aws);
  await lambda(
    aws.url,
    await role(aws.url),
    'env',
    `export const handler = async () => ({ version: process.version, aws: process.env.AWS_ENDPOINT_URL,
       sagemaker: process.env.AWS_ENDPOINT_URL_SAGEMAKER, greengrass: process.env.AWS_ENDPOINT_URL_GREENGRASSV2 });`,
  );
  const invoked = await new LambdaClient(client(aws.url)).send(new InvokeCommand({ FunctionName: 'env' }));
  expect(JSON.parse(Buffer.from(invoked.Payload ?? []).toString())).toEqual({
    version: expect.stringMatching(/^v24\./),
    aws: aws.url,
    sagemaker: 'http://127.0.0.1:1',
    greengrass: 'http://127.0.0.1:2',
  });
});

test('a taken port is named', async () => {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  try {
    const starting = startAws({ stateDir: folder(), port, mqttPort: await freePort(), nodeBin: NODE });
    await expect(starting).rejects.toThrow(`port ${port} on 127.0.0.1 is taken by another process`);
  } finally {
    await new Promise((resolve) => other.close(resolve));
  }
});

test('a missing Python is named', async () => {
  await expect(startForTest(folder(), { python: '/nowhere/python' })).rejects.toThrow(
    'needs Python at /nowhere/python, and there is none',
  );
});

test('a Node that is not called node is refused', async () => {
  await expect(startForTest(folder(), { nodeBin: '/bin/sh' })).rejects.toThrow('need a program called "node"');
});

test('a Python without MiniStack says so in the error', async () => {
  await expect(startForTest(folder(), { python: '/usr/bin/python3' })).rejects.toThrow(
    /aws ended with exit code 1 before it was ready[\s\S]*No module named/,
  );
});

test('a second local AWS over the same state is refused', async () => {
  const dir = folder();
  await start(dir);
  await expect(startForTest(dir)).rejects.toThrow(/Another local AWS already runs on the state/);
});

test('nothing listens beyond the loopback address', async () => {
  const aws = await start(folder());
  const listening = (file: string) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === '0A')
      .map((cells) => cells[1] ?? '');
  const port = (n: number) => n.toString(16).toUpperCase().padStart(4, '0');
  const mqtt = await until(
    () => listening('/proc/net/tcp').filter((address) => address.endsWith(`:${port(aws.mqttPort)}`)),
    (found) => found.length > 0,
  );
  expect(mqtt).toEqual([`0100007F:${port(aws.mqttPort)}`]);
  expect(listening('/proc/net/tcp6').filter((address) => address.endsWith(`:${port(aws.mqttPort)}`))).toEqual([]);
});

/** When the saver last finished a round, as Unix time in ms. */
function savedAt(dir: string): number {
  const path = join(dir, 'aws/saved');
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

test('an execution that a stop interrupts is announced as failed at the next start', async () => {
  const dir = folder();
  const first = await start(dir);
  const sfn = new SFNClient(client(first.url));
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({
      name: 'waits',
      roleArn: await role(first.url),
      definition: JSON.stringify({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 600, End: true } } }),
    }),
  );
  await new SQSClient(client(first.url)).send(new CreateQueueCommand({ QueueName: 'ends' }));
  const bus = new EventBridgeClient(client(first.url));
  await bus.send(
    new PutRuleCommand({
      Name: 'ends',
      EventPattern: JSON.stringify({
        source: ['aws.states'],
        detail: { status: ['FAILED'], stateMachineArn: [stateMachineArn] },
      }),
    }),
  );
  await bus.send(
    new PutTargetsCommand({ Rule: 'ends', Targets: [{ Id: 'q', Arn: 'arn:aws:sqs:us-east-1:000000000000:ends' }] }),
  );
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: '{"a":1}' }));
  await first.stop();

  const second = await start(dir);
  const QueueUrl = `${second.url}/000000000000/ends`;
  const { Messages } = await until(
    () => new SQSClient(client(second.url)).send(new ReceiveMessageCommand({ QueueUrl })),
    (answer) => (answer.Messages ?? []).length > 0,
  );
  expect(JSON.parse(Messages?.[0]?.Body ?? '{}').detail).toMatchObject({
    executionArn,
    status: 'FAILED',
    input: '{"a":1}',
    error: 'PlantStopped',
    cause: 'the local plant was stopped while this ran',
  });
});
