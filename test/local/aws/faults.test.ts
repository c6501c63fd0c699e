import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import { CreateTopicRuleCommand, IoTClient } from '@aws-sdk/client-iot';
import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListStateMachinesCommand, SFNClient } from '@aws-sdk/client-sfn';
import { ListTopicsCommand, SNSClient } from '@aws-sdk/client-sns';
import { CreateQueueCommand, ListQueuesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import {
  LOCAL_COUNTERS_FILE,
  LOCAL_FAULTS_FILE,
  LocalCounters,
  LocalFaults,
} from '../../../core/contracts/local-plant.ts';
import type { LocalAws } from '../../../local/aws/start-aws.ts';
import { client, lambda, role, runMachine, startForTest, stateFolder, until } from './local-aws.ts';

jest.setTimeout(120_000);

const { dir, remove } = stateFolder();
let aws: LocalAws;
let roleArn: string;

const faults = (over: Partial<LocalFaults>): void =>
  writeFileSync(
    join(dir, LOCAL_FAULTS_FILE),
    JSON.stringify(LocalFaults.parse({ schema: 'local-faults/1', seed: 7, messages: null, throttles: [], ...over })),
  );
const messages = (over: Partial<NonNullable<LocalFaults['messages']>>): void =>
  faults({ messages: { carriers: ['iot', 'events'], drop: 0, repeat: 0, delaySeconds: 0, until: null, ...over } });
const counters = (): LocalCounters =>
  LocalCounters.parse(JSON.parse(readFileSync(join(dir, LOCAL_COUNTERS_FILE), 'utf8')));
/** The counts once they are younger than this moment. */
const freshCounters = async (): Promise<LocalCounters> => {
  const asked = new Date().toISOString();
  return until(counters, (c) => c.at > asked);
};
const queueUrl = (name: string): string => `${aws.url}/000000000000/${name}`;

/** A rule of the default bus that carries events of one source to a queue of the same name. */
const carry = async (source: string): Promise<void> => {
  await new SQSClient(client(aws.url)).send(new CreateQueueCommand({ QueueName: source }));
  const bus = new EventBridgeClient(client(aws.url));
  await bus.send(new PutRuleCommand({ Name: source, EventPattern: JSON.stringify({ source: [source] }) }));
  await bus.send(
    new PutTargetsCommand({
      Rule: source,
      Targets: [{ Id: 'q', Arn: `arn:aws:sqs:us-east-1:000000000000:${source}` }],
    }),
  );
};
const emit = async (source: string, count: number): Promise<void> => {
  const bus = new EventBridgeClient(client(aws.url));
  for (let n = 0; n < count; n++)
    await bus.send(
      new PutEventsCommand({ Entries: [{ Source: source, DetailType: 't', Detail: JSON.stringify({ n }) }] }),
    );
};
/** Numbers of the events that arrived in a queue, until nothing came for two seconds. */
const arrived = async (source: string): Promise<number[]> => {
  const sqs = new SQSClient(client(aws.url));
  const found: number[] = [];
  for (;;) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl(source),
        MaxNumberOfMessages: 10,
        VisibilityTimeout: 600,
        WaitTimeSeconds: 2,
      }),
    );
    if (Messages.length === 0) return found.sort((a, b) => a - b);
    found.push(...Messages.map((m) => JSON.parse(m.Body ?? '').detail.n as number));
  }
};

beforeAll(async () => {
  aws = await startForTest(dir);
  roleArn = await role(aws.url);
});
afterEach(() => rmSync(join(dir, LOCAL_FAULTS_FILE), { force: true }));
afterAll(async () => {
  await aws?.stop();
  remove();
});

test('an SDK gets through a service that refuses half of its requests', async () => {
  faults({ throttles: [{ service: 'dynamodb', share: 0.5, until: null }] });
  const dynamo = new DynamoDBClient({ ...client(aws.url), maxAttempts: 12 });
  for (let n = 0; n < 10; n++) await dynamo.send(new ListTablesCommand());
  const counted = (await freshCounters()).rootRequests.dynamodb?.ListTables;
  expect(counted?.throttled).toBeGreaterThan(0);
  expect(counted?.count).toBe(10 + (counted?.throttled ?? 0));
  expect(counted?.errors).toBe(0);
});

test.each([
  [
    'dynamodb',
    'ProvisionedThroughputExceededException',
    (c: object) => new DynamoDBClient(c).send(new ListTablesCommand()),
  ],
  ['states', 'ThrottlingException', (c: object) => new SFNClient(c).send(new ListStateMachinesCommand())],
  ['sqs', 'RequestThrottled', (c: object) => new SQSClient(c).send(new ListQueuesCommand())],
  ['sns', 'ThrottledException', (c: object) => new SNSClient(c).send(new ListTopicsCommand())],
  ['lambda', 'TooManyRequestsException', (c: object) => new LambdaClient(c).send(new ListFunctionsCommand())],
  [
    's3',
    'SlowDown',
    (c: object) => new S3Client({ ...c, forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'never' })),
  ],
] as const)('%s refuses in its own words', async (service, name, ask) => {
  faults({ throttles: [{ service, share: 1, until: null }] });
  await expect(ask({ ...client(aws.url), maxAttempts: 1 })).rejects.toMatchObject({ name });
});

test('a throttled service is open again when its time is over', async () => {
  faults({ throttles: [{ service: 'states', share: 1, until: new Date(Date.now() - 1).toISOString() }] });
  await new SFNClient({ ...client(aws.url), maxAttempts: 1 }).send(new ListStateMachinesCommand());
});

test('a workflow is told that Lambda has no capacity by the name that it retries on', async () => {
  const arn = await lambda(aws.url, roleArn, 'busy', 'export const handler = async () => 1;');
  faults({ throttles: [{ service: 'lambda', share: 1, until: null }] });
  const ended = await runMachine(aws.url, roleArn, {
    StartAt: 'Call',
    States: { Call: { Type: 'Task', Resource: arn, End: true } },
  });
  expect(ended).toMatchObject({ status: 'FAILED', error: 'Lambda.TooManyRequestsException' });
});

test('an invocation that nobody waits for is late where another is refused', async () => {
  const arn = await lambda(aws.url, roleArn, 'late', 'export const handler = async () => { console.log("ran"); };');
  const calls = new LambdaClient({ ...client(aws.url), maxAttempts: 1 });
  faults({ throttles: [{ service: 'lambda', share: 1, until: null }] });
  await expect(calls.send(new InvokeCommand({ FunctionName: arn }))).rejects.toMatchObject({
    name: 'TooManyRequestsException',
  });
  await calls.send(new InvokeCommand({ FunctionName: arn, InvocationType: 'Event' }));
  await until(counters, (c) => (c.lambda.late?.throttled ?? 0) >= 3);
  expect(counters().lambda.late?.count).toBe(0);
  rmSync(join(dir, LOCAL_FAULTS_FILE));
  await until(counters, (c) => c.lambda.late?.count === 1);
});

test('events are lost at the share that was asked for, the same ones for the same seed', async () => {
  await carry('lossy');
  messages({ drop: 0.4 });
  await emit('lossy', 20);
  const first = await arrived('lossy');
  expect(first.length).toBeGreaterThan(4);
  expect(first.length).toBeLessThan(20);
  const counted = (await freshCounters()).messages['events:lossy'];
  expect(counted).toEqual({ delivered: first.length, dropped: 20 - first.length, delayed: 0, repeated: 0 });
  messages({ drop: 0.4, until: '2099-01-01T00:00:00.000Z' });
  await emit('lossy', 20);
  expect(await arrived('lossy')).toEqual(first);
});

test('an event can arrive twice', async () => {
  await carry('twice');
  messages({ repeat: 1 });
  await emit('twice', 3);
  expect(await arrived('twice')).toEqual([0, 0, 1, 1, 2, 2]);
});

test('an event can arrive late', async () => {
  await carry('later');
  messages({ delaySeconds: 3 });
  const from = Date.now();
  await emit('later', 1);
  const got = await until(
    () => new SQSClient(client(aws.url)).send(new ReceiveMessageCommand({ QueueUrl: queueUrl('later') })),
    (answer) => (answer.Messages ?? []).length > 0,
  );
  expect(Date.now() - from).toBeGreaterThanOrEqual(2900);
  expect(got.Messages).toHaveLength(1);
});

test('messages of a carrier that was not named pass unharmed', async () => {
  await carry('other');
  messages({ carriers: ['iot'], drop: 1 });
  await emit('other', 2);
  expect(await arrived('other')).toEqual([0, 1]);
});

test('what a rule of IoT Core sends to a queue can be lost and doubled too', async () => {
  await new SQSClient(client(aws.url)).send(new CreateQueueCommand({ QueueName: 'reports' }));
  const sql = "SELECT * FROM 'reports'";
  await new IoTClient(client(aws.url)).send(
    new CreateTopicRuleCommand({
      ruleName: 'reports',
      topicRulePayload: { sql, actions: [{ sqs: { queueUrl: queueUrl('reports'), roleArn, useBase64: false } }] },
    }),
  );
  const device = new IoTDataPlaneClient(client(aws.url));
  const publish = (n: number) =>
    device.send(
      new PublishCommand({ topic: 'reports', qos: 1, payload: Buffer.from(JSON.stringify({ detail: { n } })) }),
    );
  messages({ carriers: ['iot'], drop: 1 });
  await publish(1);
  messages({ carriers: ['iot'], repeat: 1 });
  await publish(2);
  expect(await arrived('reports')).toEqual([2, 2]);
  expect((await freshCounters()).messages['iot:reports']).toMatchObject({ delivered: 2, dropped: 1, repeated: 1 });
  expect(counters().mqtt.published).toBeGreaterThanOrEqual(2);
});

test('a file of faults that cannot be read is no fault', async () => {
  await carry('torn');
  writeFileSync(join(dir, LOCAL_FAULTS_FILE), '{"schema":"local-faults/1","messages":{');
  await emit('torn', 1);
  expect(await arrived('torn')).toEqual([0]);
});

test('requests, bytes, invocations, steps and what is stored are counted', async () => {
  const arn = await lambda(aws.url, roleArn, 'counted', 'export const handler = async () => ({ ok: true });');
  const before = await freshCounters();
  const s3 = new S3Client({ ...client(aws.url), forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: 'counted' }));
  await s3.send(new PutObjectCommand({ Bucket: 'counted', Key: 'a', Body: 'x'.repeat(1000) }));
  await runMachine(aws.url, roleArn, {
    StartAt: 'Call',
    States: { Call: { Type: 'Task', Resource: arn, Next: 'End' }, End: { Type: 'Succeed' } },
  });
  const after = await freshCounters();
  expect(after.rootRequests.s3?.PutObject).toMatchObject({ count: 1, errors: 0 });
  expect(after.rootRequests.s3?.PutObject?.bytesIn).toBeGreaterThanOrEqual(1000);
  expect(after.lambda.counted).toMatchObject({ count: 1, errors: 0, throttled: 0, memoryMb: 128 });
  expect(after.states.executions - before.states.executions).toBe(1);
  expect(after.states.transitions - before.states.transitions).toBe(2);
  expect(after.stores.buckets.counted).toBe(1);
});

test('what a function asks is counted apart from what the root user asks', async () => {
  const arn = await lambda(
    aws.url,
    roleArn,
    'asks',
    `import { createRequire } from 'node:module';
     const { SQSClient, ListQueuesCommand } = createRequire(process.env.NODE_PATH + '/x.js')('@aws-sdk/client-sqs');
     export const handler = async () => { await new SQSClient({}).send(new ListQueuesCommand({})); };`,
  );
  await new LambdaClient(client(aws.url)).send(new InvokeCommand({ FunctionName: arn }));
  expect((await freshCounters()).requests.sqs?.ListQueues?.count).toBe(1);
});

test('a function whose process was killed fails as on AWS, and a workflow that retries on it goes on', async () => {
  const arn = await lambda(
    aws.url,
    roleArn,
    'killed',
    `let calls = 0;
     export const handler = async (e) => { if (e.die) process.kill(process.pid, 'SIGKILL'); return ++calls; };`,
  );
  const died = await new LambdaClient(client(aws.url)).send(
    new InvokeCommand({ FunctionName: arn, Payload: Buffer.from('{"die":true}') }),
  );
  expect(died.FunctionError).toBe('Unhandled');
  expect(JSON.parse(Buffer.from(died.Payload ?? []).toString())).toMatchObject({
    errorType: 'Runtime.ExitError',
    errorMessage: expect.stringMatching(/^RequestId: .+ Error: Runtime exited with error: signal: killed$/),
  });
  const ended = await runMachine(aws.url, roleArn, {
    StartAt: 'Call',
    States: {
      Call: {
        Type: 'Task',
        Resource: arn,
        Parameters: { 'die.$': 'States.ArrayContains(States.Array(0), $$.State.RetryCount)' },
        Retry: [{ ErrorEquals: ['Runtime.ExitError'], IntervalSeconds: 1, MaxAttempts: 2 }],
        End: true,
      },
    },
  });
  expect(ended).toMatchObject({ status: 'SUCCEEDED', output: '1' });
});

test('a function called by an event bus is tried again when it fails', async () => {
  await new SQSClient(client(aws.url)).send(new CreateQueueCommand({ QueueName: 'tries' }));
  const arn = await lambda(
    aws.url,
    roleArn,
    'fails-once',
    `import { createRequire } from 'node:module';
     import { existsSync, writeFileSync } from 'node:fs';
     const { SQSClient, SendMessageCommand } = createRequire(process.env.NODE_PATH + '/x.js')('@aws-sdk/client-sqs');
     const mark = process.env.TMPDIR + '/tried';
     export const handler = async () => {
       if (!existsSync(mark)) { writeFileSync(mark, ''); process.kill(process.pid, 'SIGKILL'); }
       await new SQSClient({}).send(new SendMessageCommand({ QueueUrl: process.env.AWS_ENDPOINT_URL + '/000000000000/tries', MessageBody: '{"detail":{"n":1}}' }));
     };`,
  );
  const bus = new EventBridgeClient(client(aws.url));
  await bus.send(new PutRuleCommand({ Name: 'again', EventPattern: '{"source":["again"]}' }));
  await bus.send(new PutTargetsCommand({ Rule: 'again', Targets: [{ Id: 'f', Arn: arn }] }));
  await emit('again', 1);
  const sqs = new SQSClient(client(aws.url));
  const got = await until(
    () => sqs.send(new ReceiveMessageCommand({ QueueUrl: queueUrl('tries'), VisibilityTimeout: 600 })),
    (answer) => (answer.Messages ?? []).length > 0,
  );
  expect(got.Messages).toHaveLength(1);
});

test('counts begin anew with each start, and a start begins without faults', async () => {
  const before = await until(counters, (c) => c.pid === aws.pid);
  await new S3Client({ ...client(aws.url), forcePathStyle: true }).send(new CreateBucketCommand({ Bucket: 'kept' }));
  faults({ throttles: [{ service: 's3', share: 1, until: null }] });
  await aws.stop();
  aws = await startForTest(dir);
  const after = await until(counters, (c) => c.pid !== before.pid);
  expect(after.pid).toBe(aws.pid);
  expect(after.stores.buckets.kept).toBe(0);
  expect(after.rootRequests).toEqual({});
  await new S3Client({ ...client(aws.url), forcePathStyle: true, maxAttempts: 1 }).send(
    new PutObjectCommand({ Bucket: 'kept', Key: 'b', Body: 'b' }),
  );
});
