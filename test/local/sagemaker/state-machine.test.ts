import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateStateMachineCommand,
  DescribeExecutionCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { type LocalAws, startAws } from '../../../local/aws/start-aws.ts';
import { startSageMaker, trainingImage } from '../../../local/sagemaker/start-sagemaker.ts';
import { freePort, type Service } from '../../../local/shared/service.ts';

jest.setTimeout(180_000);

const venv = join(__dirname, '../../../.venv');
const python = join(venv, 'bin/python');
const stateDir = mkdtempSync(join(tmpdir(), 'mw-sagemaker-sfn-'));
const IMAGE = 'local/millwright-training:dev';
let aws: LocalAws;
let sagemaker: Service;
let s3: S3Client;
let sfn: SFNClient;
let roleArn: string;

/** A channel of three features whose label can be learned, as Parquet. */
const features = (runs: number, seed: number): Buffer => {
  const file = join(stateDir, `${seed}.parquet`);
  const script = `
import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
rng = np.random.default_rng(${seed})
rows = [{"asset": f"a{r}", "run": "r", "index": i, "label": float(40 - i), "x": [40 - i + rng.normal(), i / 10, rng.normal()]}
        for r in range(${runs}) for i in range(1, 41)]
pq.write_table(pa.Table.from_pylist(rows), sys.argv[1])`;
  execFileSync(python, ['-c', script, file]);
  return readFileSync(file);
};

beforeAll(async () => {
  const port = await freePort();
  const sagemakerUrl = `http://127.0.0.1:${port}`;
  aws = await startAws({ stateDir, python, port: await freePort(), mqttPort: await freePort(), sagemakerUrl });
  sagemaker = await startSageMaker({
    stateDir,
    port,
    awsUrl: aws.url,
    images: trainingImage(venv),
    pythonHome: venv,
  });
  const options = {
    endpoint: aws.url,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  };
  s3 = new S3Client({ ...options, forcePathStyle: true });
  sfn = new SFNClient(options);
  const iam = new IAMClient(options);
  const made = await iam.send(
    new CreateRoleCommand({
      RoleName: 'training',
      AssumeRolePolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: ['sagemaker.amazonaws.com', 'states.amazonaws.com'] },
            Action: 'sts:AssumeRole',
          },
        ],
      }),
    }),
  );
  roleArn = made.Role?.Arn ?? '';
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: 'training',
      PolicyName: 'all',
      PolicyDocument: JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: ['s3:*'], Resource: '*' }],
      }),
    }),
  );
  await s3.send(new CreateBucketCommand({ Bucket: 'lake' }));
  for (const [Key, Body] of [
    ['train/part-0.parquet', features(6, 1)],
    ['calibration/part-0.parquet', features(2, 2)],
  ] as const)
    await s3.send(new PutObjectCommand({ Bucket: 'lake', Key, Body }));
});

afterAll(async () => {
  s3?.destroy();
  sfn?.destroy();
  await sagemaker?.stop();
  await aws?.stop();
  rmSync(stateDir, { recursive: true, force: true, maxRetries: 5 });
});

const digest = `sha256:${'0'.repeat(64)}`;
const s3Channel = (name: string) => ({
  ChannelName: name,
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: `s3://lake/${name}/` } },
});

const definition = (name: string, settings: Readonly<Record<string, unknown>>) => ({
  StartAt: 'Train',
  States: {
    Train: {
      Type: 'Task',
      Resource: 'arn:aws:states:::sagemaker:createTrainingJob.sync',
      Parameters: {
        TrainingJobName: `${name}-train`,
        RoleArn: roleArn,
        AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
        HyperParameters: {
          algorithm: 'mlp-regressor',
          seed: '3',
          feature_names: JSON.stringify(['level', 'trend', 'noise']),
          feature_set_digest: digest,
          snapshot_digest: digest,
          settings: JSON.stringify({ epochs: 60, hidden: '8', members: 1, learningRate: 0.01, ...settings }),
        },
        InputDataConfig: [s3Channel('train'), s3Channel('calibration')],
        OutputDataConfig: { S3OutputPath: 's3://lake/models' },
        ResourceConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 5 },
        StoppingCondition: { MaxRuntimeInSeconds: 120 },
      },
      ResultPath: '$.train',
      Catch: [{ ErrorEquals: ['States.TaskFailed'], ResultPath: '$.error', Next: 'Caught' }],
      Next: 'Quantize',
    },
    Quantize: {
      Type: 'Task',
      Resource: 'arn:aws:states:::sagemaker:createProcessingJob.sync',
      Parameters: {
        ProcessingJobName: `${name}-quantize`,
        RoleArn: roleArn,
        AppSpecification: {
          ImageUri: IMAGE,
          ContainerEntrypoint: ['python3', '-m', 'millwright_training', 'quantize'],
        },
        ProcessingInputs: [
          {
            InputName: 'model',
            S3Input: {
              'S3Uri.$': '$.train.ModelArtifacts.S3ModelArtifacts',
              LocalPath: '/opt/ml/processing/input/model',
              S3DataType: 'S3Prefix',
              S3InputMode: 'File',
            },
          },
          {
            InputName: 'calibration',
            S3Input: {
              S3Uri: 's3://lake/calibration/',
              LocalPath: '/opt/ml/processing/input/calibration',
              S3DataType: 'S3Prefix',
              S3InputMode: 'File',
            },
          },
        ],
        ProcessingOutputConfig: {
          Outputs: [
            {
              OutputName: 'candidate',
              S3Output: {
                S3Uri: `s3://lake/candidates/${name}/`,
                LocalPath: '/opt/ml/processing/output',
                S3UploadMode: 'EndOfJob',
              },
            },
          ],
        },
        ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 5 } },
      },
      Catch: [{ ErrorEquals: ['States.TaskFailed'], ResultPath: '$.error', Next: 'Caught' }],
      End: true,
    },
    Caught: { Type: 'Pass', End: true },
  },
});

const run = async (name: string, settings: Readonly<Record<string, unknown>>) => {
  const { stateMachineArn } = await sfn.send(
    new CreateStateMachineCommand({ name, roleArn, definition: JSON.stringify(definition(name, settings)) }),
  );
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: '{}' }));
  const deadline = Date.now() + 150_000;
  while (Date.now() < deadline) {
    const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
    if (execution.status !== 'RUNNING')
      return { status: execution.status, output: JSON.parse(execution.output ?? '{}'), cause: execution.cause };
    await sleep(200);
  }
  throw new Error(`${name} did not end within 150 s`);
};

describe('a state machine that trains with the project’s own trainer', () => {
  test('ends with the quantized candidate in S3', async () => {
    const { status, output } = await run('good', {});
    expect(output.error).toBeUndefined();
    expect(status).toBe('SUCCEEDED');
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'candidates/good/' }));
    expect(Contents?.map((o) => o.Key?.split('/').at(-1))).toEqual(
      expect.arrayContaining(['model.fp32.onnx', 'model.int8.onnx', 'metrics.json', 'envelope.json', 'quantize.json']),
    );
  });

  test('catches a model that answers NaN, with the trainer’s reason', async () => {
    const { status, output, cause } = await run('diverges', { learningRate: 1e30 });
    expect(cause).toBeUndefined();
    expect(status).toBe('SUCCEEDED');
    expect(JSON.parse(output.error.Cause).FailureReason).toMatch(
      /^AlgorithmError: .*(NaN|learningRate).*exit code: 1$/s,
    );
  });
});
