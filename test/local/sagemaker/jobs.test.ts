import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  AddTagsCommand,
  CreateEndpointCommand,
  CreateProcessingJobCommand,
  type CreateProcessingJobRequest,
  CreateTrainingJobCommand,
  type CreateTrainingJobRequest,
  DeleteTagsCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  type DescribeTrainingJobResponse,
  ListProcessingJobsCommand,
  ListTagsCommand,
  ListTrainingJobsCommand,
  paginateListTrainingJobs,
  SageMakerClient,
  StopProcessingJobCommand,
  StopTrainingJobCommand,
} from '@aws-sdk/client-sagemaker';
import { type LocalAws, startAws } from '../../../local/aws/start-aws.ts';
import { startSageMaker } from '../../../local/sagemaker/start-sagemaker.ts';
import { loadApiModel } from '../../../local/shared/api-model.ts';
import { freePort, isAlive, type Service } from '../../../local/shared/service.ts';

jest.setTimeout(120_000);

const root = join(__dirname, '../../..');
const venv = join(root, '.venv');
const python = join(venv, 'bin/python');
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const region = 'us-east-1';
const IMAGE = 'local/test-trainer:1';

const stateDir = mkdtempSync(join(tmpdir(), 'mw-sagemaker-'));
let aws: LocalAws;
let service: Service;
let s3: S3Client;
let client: SageMakerClient;
let port: number;

const images = {
  'local/test-trainer': {
    command: [python, join(__dirname, 'trainer.py'), 'train'],
    cwd: __dirname,
    env: { FROM_IMAGE: 'yes' },
  },
};

const start = () => startSageMaker({ stateDir, port, awsUrl: aws.url, images, pythonHome: venv, graceMs: 1_500 });
const connect = () =>
  new SageMakerClient({ endpoint: `http://127.0.0.1:${port}`, region, credentials, maxAttempts: 1 });

const roleArn = (name: string): string => `arn:aws:iam::000000000000:role/${name}`;

beforeAll(async () => {
  aws = await startAws({ stateDir, python, port: await freePort(), mqttPort: await freePort() });
  port = await freePort();
  service = await start();
  client = connect();
  s3 = new S3Client({ endpoint: aws.url, region, credentials, forcePathStyle: true });
  const iam = new IAMClient({ endpoint: aws.url, region, credentials });
  const trust = (principal: string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { Service: principal }, Action: 'sts:AssumeRole' }],
    });
  const allow = (statements: readonly { Action: string; Resource: string }[]) =>
    JSON.stringify({ Version: '2012-10-17', Statement: statements.map((s) => ({ Effect: 'Allow', ...s })) });
  const role = async (name: string, principal: string, policy?: string) => {
    await iam.send(new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: trust(principal) }));
    if (policy !== undefined)
      await iam.send(new PutRolePolicyCommand({ RoleName: name, PolicyName: 'p', PolicyDocument: policy }));
  };
  await role(
    'trainer',
    'sagemaker.amazonaws.com',
    allow([
      { Action: 's3:ListBucket', Resource: 'arn:aws:s3:::lake' },
      { Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/open/*' },
      { Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/manifests/*' },
      { Action: 's3:PutObject', Resource: 'arn:aws:s3:::lake/out/*' },
      { Action: 's3:GetObject', Resource: 'arn:aws:s3:::lake/out/*' },
    ]),
  );
  await role('stranger', 'lambda.amazonaws.com');
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }));
  const objects: Record<string, string | Uint8Array> = {
    'open/train/a.txt': '1.5',
    'open/train/deep/b.txt': '2',
    'open/trainer/c.txt': '100',
    'open/packed/d.txt': gzipSync('42'),
    'secret/test/a.txt': '7',
    'manifests/m.json': JSON.stringify([{ prefix: 's3://lake/open/' }, 'train/a.txt', 'trainer/c.txt']),
    'manifests/escape.json': JSON.stringify([{ prefix: 's3://lake/open/' }, '../../../../../../escape.txt']),
    'manifests/broken.json': '{',
  };
  for (const [Key, Body] of Object.entries(objects)) await s3.send(new PutObjectCommand({ Bucket: 'lake', Key, Body }));
});

afterAll(async () => {
  client?.destroy();
  s3?.destroy();
  await service?.stop();
  await aws?.stop();
  rmSync(stateDir, { recursive: true, force: true });
});

let serial = 0;
const nextName = (kind: string): string => {
  serial += 1;
  return `${kind}-${serial}`;
};

const channel = (S3Uri: string, S3DataType: 'S3Prefix' | 'ManifestFile' = 'S3Prefix') => ({
  ChannelName: 'train',
  DataSource: { S3DataSource: { S3DataType, S3Uri } },
});

const training = (
  hyperparameters: Record<string, string>,
  change: Partial<CreateTrainingJobRequest> = {},
): CreateTrainingJobRequest => ({
  TrainingJobName: nextName('train'),
  RoleArn: roleArn('trainer'),
  AlgorithmSpecification: {
    TrainingImage: IMAGE,
    TrainingInputMode: 'File',
    MetricDefinitions: [
      { Name: 'loss', Regex: 'loss=([0-9.]+);' },
      { Name: 'odd', Regex: 'odd=(.*);' },
    ],
  },
  HyperParameters: hyperparameters,
  InputDataConfig: [channel('s3://lake/open/train/')],
  OutputDataConfig: { S3OutputPath: 's3://lake/out' },
  ResourceConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 1 },
  StoppingCondition: { MaxRuntimeInSeconds: 60 },
  ...change,
});

const processing = (change: Partial<CreateProcessingJobRequest> = {}): CreateProcessingJobRequest => ({
  ProcessingJobName: nextName('process'),
  RoleArn: roleArn('trainer'),
  AppSpecification: {
    ImageUri: IMAGE,
    ContainerEntrypoint: ['python3', join(__dirname, 'trainer.py'), 'process'],
  },
  ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 1 } },
  ProcessingInputs: [
    {
      InputName: 'data',
      S3Input: {
        S3Uri: 's3://lake/open/train',
        LocalPath: '/opt/ml/processing/input/data',
        S3DataType: 'S3Prefix',
        S3InputMode: 'File',
      },
    },
  ],
  ProcessingOutputConfig: {
    Outputs: [
      {
        OutputName: 'out',
        S3Output: {
          S3Uri: 's3://lake/out/processed',
          LocalPath: '/opt/ml/processing/output',
          S3UploadMode: 'EndOfJob',
        },
      },
    ],
  },
  ...change,
});

const poll = async <T>(read: () => Promise<T | undefined> | T | undefined): Promise<T> => {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline) {
    const value = await read();
    if (value !== undefined) return value;
    await sleep(50);
  }
  throw new Error('it did not happen within 60 s');
};

const describeTraining = (TrainingJobName: string) => client.send(new DescribeTrainingJobCommand({ TrainingJobName }));
const ended = (name: string): Promise<DescribeTrainingJobResponse> =>
  poll(async () => {
    const job = await describeTraining(name);
    return job.TrainingJobStatus === 'InProgress' || job.TrainingJobStatus === 'Stopping' ? undefined : job;
  });
const train = async (request: CreateTrainingJobRequest): Promise<DescribeTrainingJobResponse> => {
  await client.send(new CreateTrainingJobCommand(request));
  return ended(request.TrainingJobName ?? '');
};
const endedProcessing = (ProcessingJobName: string) =>
  poll(async () => {
    const job = await client.send(new DescribeProcessingJobCommand({ ProcessingJobName }));
    return job.ProcessingJobStatus === 'InProgress' || job.ProcessingJobStatus === 'Stopping' ? undefined : job;
  });
const process_ = async (request: CreateProcessingJobRequest) => {
  await client.send(new CreateProcessingJobCommand(request));
  return endedProcessing(request.ProcessingJobName ?? '');
};

/** Starts a job that sleeps, and gives the ids of its two processes once they run. */
const sleeper = async (mode: string, change: Partial<CreateTrainingJobRequest> = {}) => {
  const pidFile = join(stateDir, nextName('pids'));
  const request = training({ mode, pid_file: pidFile }, change);
  await client.send(new CreateTrainingJobCommand(request));
  const pids = await poll(() => {
    try {
      const found = readFileSync(pidFile, 'utf8').split(' ').map(Number);
      return found.length === 2 ? found : undefined;
    } catch {
      return undefined;
    }
  });
  return { name: request.TrainingJobName ?? '', pids };
};
const gone = (pids: readonly number[]) => poll(() => (pids.some(isAlive) ? undefined : true));

const keys = async (Prefix: string) =>
  ((await s3.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix }))).Contents ?? []).map((o) => o.Key);
const object = async (Key: string) =>
  Buffer.from(
    (await (await s3.send(new GetObjectCommand({ Bucket: 'lake', Key }))).Body?.transformToByteArray()) ?? [],
  );
const untar = (archive: Buffer): Record<string, string> => {
  const tar = gunzipSync(archive);
  const files: Record<string, string> = {};
  for (let at = 0; tar[at] !== 0 && at < tar.length; ) {
    const name = tar.toString('utf8', at, tar.indexOf(0, at));
    const size = Number.parseInt(tar.toString('utf8', at + 124, at + 135), 8);
    files[name] = tar.toString('utf8', at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
};

const refusal = async (sent: Promise<unknown>): Promise<{ name: string; message: string }> => {
  try {
    await sent;
  } catch (error) {
    const { name, message } = error as Error;
    return { name, message };
  }
  throw new Error('the service accepted it');
};
const refusedTraining = (change: Partial<CreateTrainingJobRequest>) =>
  refusal(client.send(new CreateTrainingJobCommand(training({}, change))));
const refusedProcessing = (change: Partial<CreateProcessingJobRequest>) =>
  refusal(client.send(new CreateProcessingJobCommand(processing(change))));

describe('a training job', () => {
  let job: DescribeTrainingJobResponse;
  let model: Record<string, string>;
  let env: Record<string, string>;

  beforeAll(async () => {
    job = await train(
      training(
        { mode: 'learn', depth: '3' },
        { Environment: { OWN: 'value', MILLWRIGHT_ML_ROOT: '/elsewhere' }, Tags: [{ Key: 'line', Value: 'a' }] },
      ),
    );
    model = untar(await object(`out/${job.TrainingJobName}/output/model.tar.gz`));
    env = JSON.parse(untar(await object(`out/${job.TrainingJobName}/output/output.tar.gz`))['env.json'] ?? '{}');
  });

  test('completes, with its artifact where Describe says it is', () => {
    expect(job.FailureReason).toBeUndefined();
    expect(job.TrainingJobStatus).toBe('Completed');
    expect(job.ModelArtifacts?.S3ModelArtifacts).toBe(`s3://lake/out/${job.TrainingJobName}/output/model.tar.gz`);
  });

  test('sees its channel as a folder and gives back what it left in the model folder', () => {
    expect(JSON.parse(model['model.json'] ?? '')).toEqual({ total: 3.5, names: ['a.txt', 'deep/b.txt'] });
    expect(Object.keys(model)).toEqual(['model.json', 'sub/config.json']);
  });

  test('finds its input described as SageMaker describes it', () => {
    expect(JSON.parse(model['sub/config.json'] ?? '')).toEqual({
      train: { TrainingInputMode: 'File', S3DistributionType: 'FullyReplicated', RecordWrapperType: 'None' },
    });
  });

  test('gets the environment of the training toolkit, of its request and of its image', () => {
    expect(env['OWN']).toBe('value');
    expect(env['FROM_IMAGE']).toBe('yes');
    expect(env['SM_HP_DEPTH']).toBe('3');
    expect(JSON.parse(env['SM_HPS'] ?? '')).toEqual({ mode: 'learn', depth: 3 });
    expect(env['SM_CHANNEL_TRAIN']).toMatch(/opt\/ml\/input\/data\/train$/);
    expect(JSON.parse(env['SM_TRAINING_ENV'] ?? '').model_dir).toBe(env['SM_MODEL_DIR']);
    expect(env['TRAINING_JOB_NAME']).toBe(job.TrainingJobName);
  });

  test('cannot move its own root', () => {
    expect(env['MILLWRIGHT_ML_ROOT']).not.toBe('/elsewhere');
  });

  test('has the credentials of its role, not those of the platform', () => {
    expect(env['AWS_SESSION_TOKEN']).toBeTruthy();
    expect(env['AWS_ACCESS_KEY_ID']).not.toBe('test');
  });

  test('passes through the secondary statuses in their order, each closed', () => {
    expect(job.SecondaryStatusTransitions?.map((t) => t.Status)).toEqual([
      'Starting',
      'Downloading',
      'Training',
      'Uploading',
      'Completed',
    ]);
    expect(job.SecondaryStatusTransitions?.every((t) => t.EndTime instanceof Date)).toBe(true);
    expect(job.TrainingStartTime).toBeInstanceOf(Date);
    expect(job.TrainingTimeInSeconds).toBeGreaterThanOrEqual(0);
  });

  test('reports the last value of each metric and leaves out one that is not a number', () => {
    expect(job.FinalMetricDataList?.map((m) => [m.MetricName, m.Value])).toEqual([['loss', 3.5]]);
  });

  test('is described in a shape that the API model accepts', async () => {
    const { $metadata, ...output } = job as DescribeTrainingJobResponse & { $metadata: unknown };
    expect($metadata).toBeDefined();
    expect(loadApiModel(venv, 'sagemaker').validateOutput('DescribeTrainingJob', output)).toEqual([]);
  });

  test('keeps nothing of its private root', async () => {
    await poll(() => (isThere(env['MILLWRIGHT_ML_ROOT'] ?? '') ? undefined : true));
  });

  test('refuses its name a second time', async () => {
    const again = training({}, { TrainingJobName: job.TrainingJobName });
    expect(await refusal(client.send(new CreateTrainingJobCommand(again)))).toEqual({
      name: 'ResourceInUse',
      message: `Training job names must be unique within an AWS account and region, and a training job with this name already exists (${job.TrainingJobArn})`,
    });
  });

  test('cannot be stopped once it has ended', async () => {
    const stopped = await refusal(
      client.send(new StopTrainingJobCommand({ TrainingJobName: job.TrainingJobName ?? '' })),
    );
    expect(stopped).toEqual({
      name: 'ValidationException',
      message: 'The request was rejected because the training job is in status Completed.',
    });
  });

  test('carries tags that can be added and taken away', async () => {
    const ResourceArn = job.TrainingJobArn ?? '';
    await client.send(new AddTagsCommand({ ResourceArn, Tags: [{ Key: 'shift', Value: 'b' }] }));
    await client.send(new DeleteTagsCommand({ ResourceArn, TagKeys: ['line'] }));
    expect((await client.send(new ListTagsCommand({ ResourceArn }))).Tags).toEqual([{ Key: 'shift', Value: 'b' }]);
  });
});

const isThere = (path: string): boolean => {
  try {
    readFileSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
};

describe('the input of a training job', () => {
  test('is what a manifest lists', async () => {
    const job = await train(
      training({ mode: 'learn' }, { InputDataConfig: [channel('s3://lake/manifests/m.json', 'ManifestFile')] }),
    );
    const model = untar(await object(`out/${job.TrainingJobName}/output/model.tar.gz`));
    expect(JSON.parse(model['model.json'] ?? '').names).toEqual(['train/a.txt', 'trainer/c.txt']);
  });

  test('is every key that begins with the prefix, also where it ends in the middle of a name', async () => {
    const job = await train(training({ mode: 'learn' }, { InputDataConfig: [channel('s3://lake/open/train')] }));
    const model = untar(await object(`out/${job.TrainingJobName}/output/model.tar.gz`));
    expect(JSON.parse(model['model.json'] ?? '').total).toBe(103.5);
  });

  test('is unpacked where the channel says Gzip', async () => {
    const packed = { ...channel('s3://lake/open/packed/d.txt'), CompressionType: 'Gzip' as const };
    const job = await train(training({ mode: 'learn' }, { InputDataConfig: [packed] }));
    const model = untar(await object(`out/${job.TrainingJobName}/output/model.tar.gz`));
    expect(JSON.parse(model['model.json'] ?? '')).toEqual({ total: 42, names: ['d.txt'] });
  });

  test('is refused to a role that may not read it', async () => {
    const job = await train(training({ mode: 'learn' }, { InputDataConfig: [channel('s3://lake/secret/test/')] }));
    expect(job.TrainingJobStatus).toBe('Failed');
    expect(job.FailureReason).toMatch(/^ClientError: Data download failed:.*s3:\/\/lake\/secret\/test\/.*AccessDenied/);
  });

  test('must exist', async () => {
    const job = await train(training({}, { InputDataConfig: [channel('s3://lake/open/nothing/')] }));
    expect(job.FailureReason).toContain(
      'ClientError: Data download failed:No S3 objects found under S3 URL "s3://lake/open/nothing/"',
    );
  });

  test('may not lead out of its folder', async () => {
    const job = await train(
      training({}, { InputDataConfig: [channel('s3://lake/manifests/escape.json', 'ManifestFile')] }),
    );
    expect(job.FailureReason).toContain('leads out of the input folder');
  });

  test('is no manifest when it is not one', async () => {
    const job = await train(
      training({}, { InputDataConfig: [channel('s3://lake/manifests/broken.json', 'ManifestFile')] }),
    );
    expect(job.FailureReason).toContain('s3://lake/manifests/broken.json is not a manifest');
  });
});

describe('the output of a training job', () => {
  test('is left as plain files when it shall not be compressed', async () => {
    const job = await train(
      training({ mode: 'learn' }, { OutputDataConfig: { S3OutputPath: 's3://lake/out/', CompressionType: 'NONE' } }),
    );
    const folder = `out/${job.TrainingJobName}/output/model/`;
    expect(job.ModelArtifacts?.S3ModelArtifacts).toBe(`s3://lake/${folder}`);
    expect(await keys(folder)).toEqual([`${folder}model.json`, `${folder}sub/config.json`]);
  });

  test('has its checkpoints in S3, and the next job finds them', async () => {
    const CheckpointConfig = { S3Uri: 's3://lake/out/checkpoints/' };
    const values: string[] = [];
    for (let run = 0; run < 2; run += 1) {
      const job = await train(training({ mode: 'count' }, { CheckpointConfig }));
      expect(job.FailureReason).toBeUndefined();
      values.push((await object('out/checkpoints/count.txt')).toString());
    }
    expect(values).toEqual(['1', '2']);
  });
});

describe('a training job that ends badly', () => {
  test('fails with the words of its failure file and its exit code, and leaves no model', async () => {
    const job = await train(training({ mode: 'fail' }));
    expect(job.TrainingJobStatus).toBe('Failed');
    expect(job.SecondaryStatus).toBe('Failed');
    expect(job.FailureReason).toBe('AlgorithmError: loss is not a number: NaN at epoch 3, exit code: 1');
    expect(await keys(`out/${job.TrainingJobName}/`)).toEqual([]);
  });

  test('fails when its program is killed from outside', async () => {
    const job = await train(training({ mode: 'die' }));
    expect(job.FailureReason).toBe('AlgorithmError: the program was killed, exit code: 137');
  });

  test('fails when its image is not one that the local plant knows', async () => {
    const job = await train(
      training({}, { AlgorithmSpecification: { TrainingImage: 'elsewhere/image:1', TrainingInputMode: 'File' } }),
    );
    expect(job.FailureReason).toContain('Cannot pull the image elsewhere/image:1');
    expect(job.FailureReason).toContain('local/test-trainer');
  });

  test('fails when its role may not write the artifact', async () => {
    const job = await train(
      training({ mode: 'learn' }, { OutputDataConfig: { S3OutputPath: 's3://lake/open/forbidden' } }),
    );
    expect(job.FailureReason).toMatch(/^ClientError: Artifact upload failed:.*s3:PutObject.*AccessDenied/);
  });

  test('is stopped when it runs longer than it may, and ends together with its helpers', async () => {
    const { name, pids } = await sleeper('gentle', { StoppingCondition: { MaxRuntimeInSeconds: 2 } });
    const job = await ended(name);
    expect([job.TrainingJobStatus, job.SecondaryStatus]).toEqual(['Stopped', 'MaxRuntimeExceeded']);
    await gone(pids);
  });
});

describe('stopping a training job', () => {
  test('asks the program, which may save its model, and ends its helpers', async () => {
    const { name, pids } = await sleeper('gentle');
    await client.send(new StopTrainingJobCommand({ TrainingJobName: name }));
    const job = await ended(name);
    expect([job.TrainingJobStatus, job.SecondaryStatus]).toEqual(['Stopped', 'Stopped']);
    expect(untar(await object(`out/${name}/output/model.tar.gz`))).toEqual({ 'half.txt': 'half' });
    await gone(pids);
  });

  test('kills a program that will not end', async () => {
    const { name, pids } = await sleeper('stubborn');
    await client.send(new StopTrainingJobCommand({ TrainingJobName: name }));
    expect((await describeTraining(name)).TrainingJobStatus).toBe('Stopping');
    expect((await ended(name)).TrainingJobStatus).toBe('Stopped');
    await gone(pids);
  });
});

describe('a processing job', () => {
  test('runs the entrypoint with the project’s Python, from its inputs to its outputs', async () => {
    const job = await process_(processing({ Environment: { SUFFIX: '!' } }));
    expect(job.FailureReason).toBeUndefined();
    expect(job.ProcessingJobStatus).toBe('Completed');
    expect((await object('out/processed/deep/a.txt')).toString()).toBe('1.5!');
    expect(JSON.parse((await object('out/processed/job.json')).toString()).ProcessingJobArn).toBe(job.ProcessingJobArn);
    const { $metadata, ...output } = job;
    expect($metadata).toBeDefined();
    expect(loadApiModel(venv, 'sagemaker').validateOutput('DescribeProcessingJob', output)).toEqual([]);
  });

  test('fails with its exit code and its message', async () => {
    const job = await process_(
      processing({
        AppSpecification: {
          ImageUri: IMAGE,
          ContainerEntrypoint: ['python3', join(__dirname, 'trainer.py'), 'process'],
          ContainerArguments: ['fail'],
        },
      }),
    );
    expect(job.ProcessingJobStatus).toBe('Failed');
    expect(job.FailureReason).toBe('AlgorithmError: See job logs for more information, exit code: 3');
    expect(job.ExitMessage).toBe('nothing to do');
  });

  test('fails when its program is not there', async () => {
    const job = await process_(
      processing({ AppSpecification: { ImageUri: IMAGE, ContainerEntrypoint: ['/no/such/program'] } }),
    );
    expect(job.FailureReason).toContain('exit code: 127');
  });

  test('can be stopped', async () => {
    const pidFile = join(stateDir, nextName('pids'));
    const request = processing({
      AppSpecification: {
        ImageUri: IMAGE,
        ContainerEntrypoint: [
          'python3',
          '-c',
          'import os,sys,time; open(sys.argv[1],"w").write(str(os.getpid())); time.sleep(600)',
        ],
        ContainerArguments: [pidFile],
      },
    });
    await client.send(new CreateProcessingJobCommand(request));
    const pid = await poll(() => (isThere(pidFile) ? Number(readFileSync(pidFile, 'utf8')) || undefined : undefined));
    await client.send(new StopProcessingJobCommand({ ProcessingJobName: request.ProcessingJobName }));
    expect((await endedProcessing(request.ProcessingJobName ?? '')).ProcessingJobStatus).toBe('Stopped');
    await gone([pid]);
  });
});

describe('refusals', () => {
  test('name what the API model does not allow', async () => {
    const { name, message } = await refusedTraining({ TrainingJobName: 'not a name' });
    expect(name).toBe('ValidationException');
    expect(message).toContain("1 validation error detected: Value 'not a name' at 'trainingJobName'");
  });

  test('name a role that SageMaker may not assume, or that is not there', async () => {
    for (const role of ['stranger', 'nobody']) {
      const { name, message } = await refusedTraining({ RoleArn: roleArn(role) });
      expect(name).toBe('ValidationException');
      expect(message).toContain(`Could not assume role ${roleArn(role)}`);
    }
  });

  test.each<[string, Partial<CreateTrainingJobRequest>]>([
    ['AlgorithmSpecification is required', { AlgorithmSpecification: undefined }],
    ['ResourceConfig is required', { ResourceConfig: undefined }],
    ['StoppingCondition is required', { StoppingCondition: undefined }],
    ['either AlgorithmName or TrainingImage', { AlgorithmSpecification: { TrainingInputMode: 'File' } }],
    [
      'not both',
      { AlgorithmSpecification: { TrainingInputMode: 'File', TrainingImage: IMAGE, AlgorithmName: 'xgboost' } },
    ],
    ['AlgorithmName', { AlgorithmSpecification: { TrainingInputMode: 'File', AlgorithmName: 'xgboost' } }],
    ['input mode Pipe', { AlgorithmSpecification: { TrainingInputMode: 'Pipe', TrainingImage: IMAGE } }],
    [
      'the Regex of loss is not a regular expression',
      {
        AlgorithmSpecification: {
          TrainingInputMode: 'File',
          TrainingImage: IMAGE,
          MetricDefinitions: [{ Name: 'loss', Regex: '(' }],
        },
      },
    ],
    ['MaxWaitTimeInSeconds must be present', { EnableManagedSpotTraining: true }],
    ['may be given only when', { StoppingCondition: { MaxRuntimeInSeconds: 1, MaxWaitTimeInSeconds: 2 } }],
    ['Duplicate channel names', { InputDataConfig: [channel('s3://lake/a'), channel('s3://lake/b')] }],
    ['is not a folder name', { InputDataConfig: [{ ...channel('s3://lake/a'), ChannelName: '..' }] }],
    ['data sources other than S3', { InputDataConfig: [{ ChannelName: 'train', DataSource: {} }] }],
    ['must be an S3 URI', { InputDataConfig: [channel('https://lake/a')] }],
    ['the input mode Pipe (channel train)', { InputDataConfig: [{ ...channel('s3://lake/a'), InputMode: 'Pipe' }] }],
    ['RecordIO wrapping', { InputDataConfig: [{ ...channel('s3://lake/a'), RecordWrapperType: 'RecordIO' }] }],
    ['shuffling', { InputDataConfig: [{ ...channel('s3://lake/a'), ShuffleConfig: { Seed: 1 } }] }],
    ['must be an S3 URI', { OutputDataConfig: { S3OutputPath: 'https://lake/out' } }],
    [
      'must begin with /opt/ml/checkpoints',
      { CheckpointConfig: { S3Uri: 's3://lake/c', LocalPath: '/opt/ml/checkpoints/../../etc' } },
    ],
    [
      'serverless training jobs',
      {
        ServerlessJobConfig: {
          JobType: 'FineTuning',
          BaseModelArn: 'arn:aws:sagemaker:us-east-1:aws:hub-content/SageMakerPublicHub/Model/m/1.0.0',
        },
      },
    ],
  ])('of a training job say: %s', async (text, change) => {
    const { name, message } = await refusedTraining(change);
    expect(message).toContain(text);
    expect(name).toBe('ValidationException');
  });

  test('of a second instance name the limit', async () => {
    const ResourceConfig = { InstanceCount: 2, InstanceType: 'ml.m5.large', VolumeSizeInGB: 1 } as const;
    expect((await refusedTraining({ ResourceConfig })).name).toBe('ResourceLimitExceeded');
  });

  const s3Input = { S3Uri: 's3://lake/a', S3DataType: 'S3Prefix', S3InputMode: 'File' } as const;
  test.each<[string, Partial<CreateProcessingJobRequest>]>([
    ['inputs other than S3Input', { ProcessingInputs: [{ InputName: 'a' }] }],
    [
      'must begin with /opt/ml/processing',
      { ProcessingInputs: [{ InputName: 'a', S3Input: { ...s3Input, LocalPath: '/etc' } }] },
    ],
    [
      'must begin with /opt/ml/processing',
      { ProcessingInputs: [{ InputName: 'a', S3Input: { ...s3Input, LocalPath: '/opt/ml/processing/../..' } }] },
    ],
    ['the input mode Pipe', { ProcessingInputs: [{ InputName: 'a', S3Input: { ...s3Input, S3InputMode: 'Pipe' } }] }],
    [
      'continuous upload',
      {
        ProcessingOutputConfig: {
          Outputs: [{ OutputName: 'o', S3Output: { S3Uri: 's3://lake/o', S3UploadMode: 'Continuous' } }],
        },
      },
    ],
    ['outputs other than S3Output', { ProcessingOutputConfig: { Outputs: [{ OutputName: 'o' }] } }],
  ])('of a processing job say: %s', async (text, change) => {
    const { name, message } = await refusedProcessing(change);
    expect(message).toContain(text);
    expect(name).toBe('ValidationException');
  });

  test('of an unknown job are those of the service', async () => {
    expect(await refusal(describeTraining('nobody'))).toEqual({
      name: 'ValidationException',
      message: 'Requested resource not found.',
    });
    expect(await refusal(client.send(new DescribeProcessingJobCommand({ ProcessingJobName: 'nobody' })))).toEqual({
      name: 'ValidationException',
      message: 'Could not find requested job with name: nobody',
    });
    const arn = `arn:aws:sagemaker:${region}:000000000000:training-job/nobody`;
    expect((await refusal(client.send(new ListTagsCommand({ ResourceArn: arn })))).name).toBe('ValidationException');
  });

  test('of a 51st tag name the limit', async () => {
    const job = await train(training({ mode: 'fail' }));
    const tags = (from: number) => Array.from({ length: 26 }, (_, i) => ({ Key: `k${from + i}`, Value: 'v' }));
    const add = (from: number) =>
      client.send(new AddTagsCommand({ ResourceArn: job.TrainingJobArn ?? '', Tags: tags(from) }));
    await add(0);
    expect((await refusal(add(26))).name).toBe('ResourceLimitExceeded');
  });

  test('of an operation that only AWS has say which there are', async () => {
    const { name, message } = await refusal(
      client.send(new CreateEndpointCommand({ EndpointName: 'a', EndpointConfigName: 'b' })),
    );
    expect(name).toBe('UnknownOperationException');
    expect(message).toContain('CreateTrainingJob');
  });

  const raw = (headers: Record<string, string>, body = '{}') =>
    fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers, body });
  const target = { 'x-amz-target': 'SageMaker.ListTrainingJobs' };
  const signed = (scope: string) => ({
    ...target,
    'x-amz-date': '20260101T000000Z',
    authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/${scope}/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
  });

  test.each<[string, Record<string, string>, string, number]>([
    ['MissingAuthenticationTokenException', target, '{}', 403],
    ['IncompleteSignatureException', { ...target, authorization: 'Bearer x' }, '{}', 400],
    ['InvalidSignatureException', signed('s3'), '{}', 403],
    ['SerializationException', signed('sagemaker'), '{', 400],
    ['UnknownOperationException', { ...signed('sagemaker'), 'x-amz-target': 'SageMaker.Fly' }, '{}', 404],
    ['UnknownOperationException', { ...signed('sagemaker'), 'x-amz-target': 'Other.ListTrainingJobs' }, '{}', 404],
    ['RequestTooLargeException', signed('sagemaker'), ' '.repeat(5 * 1024 * 1024), 413],
  ])('of a raw call are named: %s', async (type, headers, body, status) => {
    const response = await raw(headers, body);
    expect(((await response.json()) as { __type: string }).__type).toBe(type);
    expect(response.status).toBe(status);
    expect(response.headers.get('x-amzn-errortype')).toBe(type);
  });

  test('of a member that the model does not have name it', async () => {
    const response = await raw(signed('sagemaker'), '{"MaxResult":1}');
    expect(((await response.json()) as { message: string }).message).toContain("Unknown member 'MaxResult'");
  });
});

describe('listing jobs', () => {
  const names: string[] = [];

  beforeAll(async () => {
    for (const suffix of ['c', 'a', 'b']) {
      const TrainingJobName = `listed-${suffix}`;
      await train(training({ mode: 'fail' }, { TrainingJobName }));
      names.push(TrainingJobName);
    }
  });

  test('goes through all pages, each job once, oldest first', async () => {
    const found: (string | undefined)[] = [];
    let pages = 0;
    for await (const page of paginateListTrainingJobs({ client, pageSize: 2 }, { NameContains: 'listed' })) {
      found.push(...(page.TrainingJobSummaries ?? []).map((s) => s.TrainingJobName));
      pages += 1;
    }
    expect(found).toEqual(names);
    expect(pages).toBe(2);
  });

  test('sorts by name and backwards', async () => {
    const list = await client.send(
      new ListTrainingJobsCommand({ NameContains: 'LISTED', SortBy: 'Name', SortOrder: 'Descending' }),
    );
    expect(list.TrainingJobSummaries?.map((s) => s.TrainingJobName)).toEqual(['listed-c', 'listed-b', 'listed-a']);
    expect(list.NextToken).toBeUndefined();
  });

  test('filters by status and time', async () => {
    const count = async (filter: ConstructorParameters<typeof ListTrainingJobsCommand>[0]) =>
      (await client.send(new ListTrainingJobsCommand({ NameContains: 'listed', ...filter }))).TrainingJobSummaries
        ?.length;
    expect(await count({ StatusEquals: 'Failed' })).toBe(3);
    expect(await count({ StatusEquals: 'Completed' })).toBe(0);
    expect(await count({ CreationTimeAfter: new Date(0) })).toBe(3);
    expect(await count({ CreationTimeBefore: new Date(0) })).toBe(0);
    expect(await count({ LastModifiedTimeAfter: new Date(Date.now() + 60_000) })).toBe(0);
    expect(await count({ LastModifiedTimeBefore: new Date(Date.now() + 60_000) })).toBe(3);
  });

  test('refuses a token that it did not give, or gave for another question', async () => {
    const { NextToken } = await client.send(new ListTrainingJobsCommand({ MaxResults: 1 }));
    const other = refusal(client.send(new ListTrainingJobsCommand({ NextToken, NameContains: 'listed' })));
    expect((await other).message).toContain('Invalid pagination token');
    const foreign = refusal(client.send(new ListTrainingJobsCommand({ NextToken: 'bm90aGluZw==' })));
    expect((await foreign).name).toBe('ValidationException');
  });

  test('lists processing jobs with their reason', async () => {
    const list = await client.send(new ListProcessingJobsCommand({ StatusEquals: 'Failed', MaxResults: 100 }));
    expect(list.ProcessingJobSummaries?.some((s) => s.FailureReason?.includes('exit code: 3'))).toBe(true);
  });
});

describe('the stand-in', () => {
  test('speaks to boto3 as well', async () => {
    const script = [
      'import boto3, sys',
      `c = boto3.client("sagemaker", endpoint_url="http://127.0.0.1:${port}", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")`,
      'try:',
      '    c.describe_training_job(TrainingJobName="nobody")',
      'except c.exceptions.ClientError as e:',
      '    print(e.response["Error"]["Code"])',
      'print(len(c.list_training_jobs(NameContains="listed")["TrainingJobSummaries"]))',
    ].join('\n');
    expect(await output(python, ['-c', script])).toBe('ValidationException\n3\n');
  });

  test('refuses a port that is taken', async () => {
    await expect(start()).rejects.toThrow(`port ${port} on 127.0.0.1 is taken`);
  });

  test('remembers its jobs over a restart, closes the one that ran, and lets no process outlive it', async () => {
    const { name, pids } = await sleeper('stubborn');
    await service.stop();
    await gone(pids);
    service = await start();
    const job = await describeTraining(name);
    expect(job.TrainingJobStatus).toBe('Failed');
    expect(job.FailureReason).toContain('the local plant was stopped while the job was running');
    expect((await describeTraining('listed-a')).TrainingJobStatus).toBe('Failed');
  });

  test('lets no process outlive it when it is killed', async () => {
    const { name, pids } = await sleeper('stubborn');
    process.kill(service.pid, 'SIGKILL');
    await gone(pids);
    await service.stop();
    service = await start();
    expect((await describeTraining(name)).TrainingJobStatus).toBe('Failed');
  });

  test('names a job record that it cannot read', async () => {
    const broken = join(stateDir, 'sagemaker/jobs/training/broken.json');
    await service.stop();
    writeFileSync(broken, '{');
    await expect(start()).rejects.toThrow(`cannot read the job record ${broken}`);
    rmSync(broken);
    service = await start();
  });
});

const output = (command: string, args: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', (chunk) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
