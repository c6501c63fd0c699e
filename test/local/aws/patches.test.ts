import { execFile } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateBucketCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import type { LocalAws } from '../../../local/aws/start-aws.ts';
import { client, lambda, REPOSITORY, role, runMachine, startForTest, stateFolder } from './local-aws.ts';

jest.setTimeout(120_000);

/** What one job of the fake SageMaker does. */
interface Job {
  readonly request: Record<string, unknown>;
  polls: number;
}

const folder = stateFolder();
let aws: LocalAws;
let roleArn: string;
let sagemaker: Server;
const jobs = new Map<string, Job>();

beforeAll(async () => {
  sagemaker = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
      const input = JSON.parse(body);
      const kind = operation.includes('Training') ? 'Training' : 'Processing';
      const name = input[`${kind}JobName`];
      const answer = (status: number, out: object) =>
        response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(out));
      if (operation.startsWith('Create')) {
        if (jobs.has(name)) return answer(400, { __type: 'ResourceInUse', message: `${name} exists` });
        jobs.set(name, { request: input, polls: 0 });
        return answer(200, { [`${kind}JobArn`]: `arn:aws:sagemaker:us-east-1:000000000000:job/${name}` });
      }
      const job = jobs.get(name);
      if (job === undefined) return answer(400, { __type: 'ValidationException', message: 'no such job' });
      job.polls += 1;
      const ended = name.includes('bad') ? 'Failed' : 'Completed';
      return answer(200, {
        [`${kind}JobName`]: name,
        [`${kind}JobStatus`]: job.polls < 2 ? 'InProgress' : ended,
        CreationTime: 1_750_000_000,
        ...(name.includes('bad') ? { FailureReason: 'the loss is NaN' } : {}),
      });
    });
  });
  await new Promise<void>((resolve) => sagemaker.listen(0, '127.0.0.1', resolve));
  const { port } = sagemaker.address() as AddressInfo;
  aws = await startForTest(folder.dir, { sagemakerUrl: `http://127.0.0.1:${port}` });
  roleArn = await role(aws.url);
});

afterAll(async () => {
  await aws?.stop();
  sagemaker?.closeAllConnections();
  await new Promise((resolve) => sagemaker.close(resolve));
  folder.remove();
});

const training = (name: string) => ({
  TrainingJobName: name,
  RoleArn: roleArn,
  AlgorithmSpecification: { TrainingImage: 'local/trainer:dev', TrainingInputMode: 'File' },
  OutputDataConfig: { S3OutputPath: 's3://bucket/out' },
  ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
  StoppingCondition: { MaxRuntimeInSeconds: 60 },
});

const processing = (name: string) => ({
  ProcessingJobName: name,
  RoleArn: roleArn,
  AppSpecification: { ImageUri: 'local/trainer:dev' },
  ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 10 } },
});

const task = (resource: string, parameters: object, more: object = {}) => ({
  StartAt: 'Job',
  States: {
    Job: { Type: 'Task', Resource: `arn:aws:states:::${resource}`, Parameters: parameters, End: true, ...more },
    Caught: { Type: 'Pass', End: true },
  },
});

test('a state machine waits for a training job and gets its description', async () => {
  const ended = await runMachine(aws.url, roleArn, task('sagemaker:createTrainingJob.sync', training('good-1')));
  expect(ended.status).toBe('SUCCEEDED');
  expect(JSON.parse(ended.output ?? '')).toMatchObject({
    TrainingJobName: 'good-1',
    TrainingJobStatus: 'Completed',
    CreationTime: 1_750_000_000_000,
  });
  expect(jobs.get('good-1')?.request).toMatchObject({ StoppingCondition: { MaxRuntimeInSeconds: 60 } });
});

test('a state machine waits for a processing job', async () => {
  const ended = await runMachine(aws.url, roleArn, task('sagemaker:createProcessingJob.sync', processing('good-2')));
  expect(JSON.parse(ended.output ?? '')).toMatchObject({ ProcessingJobStatus: 'Completed' });
});

test('without .sync the job is only begun', async () => {
  const ended = await runMachine(aws.url, roleArn, task('sagemaker:createTrainingJob', training('begun')));
  expect(JSON.parse(ended.output ?? '')).toEqual({
    TrainingJobArn: 'arn:aws:sagemaker:us-east-1:000000000000:job/begun',
  });
  expect(jobs.get('begun')?.polls).toBe(0);
});

test('a failed job fails its task with the description as the cause', async () => {
  const ended = await runMachine(
    aws.url,
    roleArn,
    task('sagemaker:createTrainingJob.sync', training('bad-1'), {
      Catch: [{ ErrorEquals: ['States.TaskFailed'], Next: 'Caught' }],
    }),
  );
  expect(ended.status).toBe('SUCCEEDED');
  const { Cause } = JSON.parse(ended.output ?? '');
  expect(JSON.parse(Cause)).toMatchObject({ TrainingJobStatus: 'Failed', FailureReason: 'the loss is NaN' });
});

test('a refusal of the service has its own error name', async () => {
  await runMachine(aws.url, roleArn, task('sagemaker:createTrainingJob', training('twice')));
  const ended = await runMachine(aws.url, roleArn, task('sagemaker:createTrainingJob.sync', training('twice')));
  expect(ended.error).toBe('SageMaker.ResourceInUseException');
  expect(ended.cause).toContain('twice exists');
});

test('parameters that SageMaker does not know are refused before any call', async () => {
  const ended = await runMachine(
    aws.url,
    roleArn,
    task('sagemaker:createTrainingJob.sync', { ...training('unknown'), Colour: 'red' }),
  );
  expect(ended.error).toBe('States.Runtime');
  expect(ended.cause).toContain('Colour');
  expect(jobs.has('unknown')).toBe(false);
});

test('a Lambda that fails is caught by the name of its error', async () => {
  const source =
    "export const handler = async () => { throw Object.assign(new Error('odd'), { name: 'ContractError' }); };";
  const arn = await lambda(aws.url, roleArn, 'throws', source);
  const ended = await runMachine(
    aws.url,
    roleArn,
    task(
      'lambda:invoke',
      { FunctionName: arn, Payload: {} },
      { Catch: [{ ErrorEquals: ['ContractError'], Next: 'Caught' }] },
    ),
  );
  expect(ended.status).toBe('SUCCEEDED');
  const { Cause } = JSON.parse(ended.output ?? '');
  expect(JSON.parse(Cause)).toMatchObject({ errorType: 'ContractError', errorMessage: 'odd' });
});

test('a Lambda that throws at once is named too', async () => {
  const arn = await lambda(
    aws.url,
    roleArn,
    'throws-now',
    "export const handler = () => { throw new RangeError('no'); };",
  );
  const ended = await runMachine(aws.url, roleArn, task('lambda:invoke', { FunctionName: arn, Payload: {} }));
  expect(ended.error).toBe('RangeError');
});

test('a map starts no further item after one that failed', async () => {
  const ended = await runMachine(
    aws.url,
    roleArn,
    {
      StartAt: 'Rings',
      States: {
        Rings: {
          Type: 'Map',
          MaxConcurrency: 1,
          ItemsPath: '$.rings',
          ItemProcessor: {
            StartAt: 'Which',
            States: {
              Which: {
                Type: 'Choice',
                Choices: [{ Variable: '$.bad', BooleanEquals: true, Next: 'No' }],
                Default: 'Job',
              },
              No: { Type: 'Fail', Error: 'Reverted', Cause: 'ring 0 said no' },
              Job: {
                Type: 'Task',
                Resource: 'arn:aws:states:::sagemaker:createTrainingJob',
                Parameters: { ...training('x'), TrainingJobName: undefined, 'TrainingJobName.$': '$.name' },
                End: true,
              },
            },
          },
          End: true,
        },
      },
    },
    {
      rings: [
        { bad: false, name: 'ring-0' },
        { bad: true, name: 'ring-1' },
        { bad: false, name: 'ring-2' },
      ],
    },
  );
  expect(ended.error).toBe('Reverted');
  expect(jobs.has('ring-0')).toBe(true);
  expect(jobs.has('ring-2')).toBe(false);
});

test('EventBridge hears which version of an object was written', async () => {
  const options = client(aws.url);
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  const sqs = new SQSClient(options);
  const events = new EventBridgeClient(options);
  const Bucket = 'versions-in-events';
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  await s3.send(
    new PutBucketNotificationConfigurationCommand({
      Bucket,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    }),
  );
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: Bucket }));
  const Name = Bucket;
  await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify({ source: ['aws.s3'] }) }));
  const Arn = `arn:aws:sqs:us-east-1:000000000000:${Bucket}`;
  await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'queue', Arn }] }));
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
  expect(VersionId).toBeTruthy();
  expect(JSON.parse(Messages?.[0]?.Body as string).detail.object).toMatchObject({ key: 'k', 'version-id': VersionId });
});

describe('upstream still needs the patch', () => {
  const python = async (code: string): Promise<string> => {
    const { stdout } = await promisify(execFile)(join(REPOSITORY, '.venv/bin/python'), ['-c', code]);
    return stdout.trim();
  };

  test('for SageMaker in state machines', async () => {
    const out = await python(
      "from ministack.services import stepfunctions as s; print(any('sagemaker' in k for k in s._SERVICE_DISPATCH))",
    );
    expect(out).toBe('False');
  });

  test('for the name of a Lambda error', async () => {
    const out = await python(
      "from ministack.core import lambda_runtime as r; print('errorType' in r._NODEJS_WORKER_SCRIPT)",
    );
    expect(out).toBe('False');
  });

  test('for functions whose process was killed', async () => {
    const out = await python(
      'import inspect; from ministack.core import lambda_runtime as r; print(\'"Worker process died"\' in inspect.getsource(r.Worker.invoke))',
    );
    expect(out).toBe('True');
  });

  test('for functions that a bus or a rule calls', async () => {
    const out = await python(
      "from ministack.services import eventbridge as e, iot as i; print([n for f in (e._dispatch_to_lambda, i._dispatch_rule_to_lambda) for n in f.__code__.co_names if n == 'invoke_async_with_retry'])",
    );
    expect(out).toBe('[]');
  });

  test('for maps that go on after a failure', async () => {
    const out = await python(
      "import inspect; from ministack.services import stepfunctions as s; print('futures_wait(futs)' in inspect.getsource(s._run_map_items))",
    );
    expect(out).toBe('True');
  });

  test('for the address of the MQTT listener', async () => {
    const out = await python(
      'import inspect; from ministack.services import iot; print(\'host="0.0.0.0"\' in inspect.getsource(iot._mtls_start_locked))',
    );
    expect(out).toBe('True');
  });

  test('for inner state machines', async () => {
    const out = await python(
      'from ministack.services import stepfunctions as s; print(s._nested_execution_failure({\'output\': \'{"Error": "Refused"}\'})[0])',
    );
    expect(out).toBe('Refused');
  });

  test('for connections without a client certificate', async () => {
    const out = await python(
      "import inspect; from ministack.services import iot; print('CERT_OPTIONAL' in inspect.getsource(iot._mtls_build_ssl_context))",
    );
    expect(out).toBe('True');
  });

  test('for Object Lock at a restart', async () => {
    const out = await python(
      "from ministack.services import s3; print(any('retention' in k or 'hold' in k for k in s3._PERSISTED_BUCKET_DICTS))",
    );
    expect(out).toBe('False');
  });

  test('for executions that a stop interrupts', async () => {
    const out = await python(
      "from ministack.services import stepfunctions as s; print('_emit_execution_status_event' in s._restore_state.__code__.co_names)",
    );
    expect(out).toBe('False');
  });

  test('for versions of objects in events', async () => {
    const out = await python(
      "import inspect; from ministack.services import s3; print('version-id' in inspect.getsource(s3._fire_s3_event))",
    );
    expect(out).toBe('False');
  });

  test('for thing attributes in IoT policies', async () => {
    const out = await python(
      "from ministack.services import iot; print('[' in iot._POLICY_VARIABLE_RE.pattern[15:].replace('[A-Za-z.]', ''))",
    );
    expect(out).toBe('False');
  });

  test('for variables in policies of roles', async () => {
    const out = await python(
      "import inspect; from ministack.core import iam_evaluator as e; print('${' in inspect.getsource(e))",
    );
    expect(out).toBe('False');
  });

  test('for the namespace of metrics in policies', async () => {
    const out = await python(
      "import inspect; from ministack.core import iam_actions as a; print('cloudwatch:namespace' in inspect.getsource(a))",
    );
    expect(out).toBe('False');
  });

  test('for table streams at a restart', async () => {
    const out = await python(
      "from ministack.services import dynamodb as d; print(any('stream' in k for k in d.get_state()))",
    );
    expect(out).toBe('False');
  });
});
