import { GetRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import type {
  CreateProcessingJobRequest,
  CreateTrainingJobRequest,
  ListTrainingJobsRequest,
} from '@aws-sdk/client-sagemaker';
import { type ApiModel, validationMessage } from '../shared/api-model.ts';
import { isOver, type Job, type JobKind, type JobStore } from './job-store.ts';
import type { Runner } from './runner.ts';
import { PLATFORM_CREDENTIALS } from './s3-transfer.ts';

type Input = Readonly<Record<string, unknown>>;
type Output = Readonly<Record<string, unknown>>;

/** An error as the service answers it: `type` is what SDK clients show as the error's name. */
export class ServiceRefusal extends Error {
  readonly type: string;
  readonly status: number;
  constructor(type: string, message: string, status = 400) {
    super(message);
    this.name = 'ServiceRefusal';
    this.type = type;
    this.status = status;
  }
}

const invalid = (message: string): ServiceRefusal => new ServiceRefusal('ValidationException', message);

/** Says whether SageMaker may assume a role; `false` also when there is no such role. */
export type RoleCheck = (roleArn: string) => Promise<boolean>;

/** Asks the local IAM for the role's trust policy. */
export const iamRoleCheck = (awsUrl: string, region: string): RoleCheck => {
  const iam = new IAMClient({ endpoint: awsUrl, region, credentials: PLATFORM_CREDENTIALS });
  return async (roleArn) => {
    try {
      const { Role } = await iam.send(new GetRoleCommand({ RoleName: roleArn.slice(roleArn.lastIndexOf('/') + 1) }));
      if (Role?.Arn !== roleArn) return false;
      return trusts(JSON.parse(decodeURIComponent(Role.AssumeRolePolicyDocument ?? '{}')), 'sagemaker.amazonaws.com');
    } catch (error) {
      if ((error as Error).name === 'NoSuchEntityException' || (error as Error).name === 'NoSuchEntity') return false;
      throw error;
    }
  };
};

const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];

const trusts = (policy: { Statement?: unknown }, principal: string): boolean =>
  list(policy.Statement).some((s) => {
    const { Effect, Principal } = s as { Effect?: string; Principal?: { Service?: unknown } };
    return Effect === 'Allow' && list(Principal?.Service).includes(principal);
  });

export type SageMakerOptions = {
  readonly model: ApiModel;
  readonly store: JobStore;
  readonly runner: Runner;
  readonly mayAssume: RoleCheck;
  readonly region: string;
  readonly account: string;
  readonly now: () => Date;
};

const LABEL: Record<JobKind, 'Training' | 'Processing'> = { training: 'Training', processing: 'Processing' };

/** Operations of the stand-in; the rest of SageMaker exists in AWS only. */
export const OPERATIONS = [
  'CreateTrainingJob',
  'DescribeTrainingJob',
  'ListTrainingJobs',
  'StopTrainingJob',
  'CreateProcessingJob',
  'DescribeProcessingJob',
  'ListProcessingJobs',
  'StopProcessingJob',
  'AddTags',
  'ListTags',
  'DeleteTags',
] as const;

/**
 * One call of the API.
 * @returns the answer under the model's member names, times as `Date`.
 * @throws {ServiceRefusal} as the service refuses.
 */
export const makeSageMaker = (options: SageMakerOptions) => {
  const { model, store, runner, now } = options;

  const need = (kind: JobKind, name: unknown): Job => {
    const job = store.get(kind, String(name));
    if (job === undefined)
      throw invalid(
        kind === 'training'
          ? 'Requested resource not found.'
          : `Could not find requested job with name: ${String(name)}`,
      );
    return job;
  };

  const byArn = (arn: unknown): Job => {
    const job = store.byArn(String(arn));
    if (job === undefined) throw invalid(`Requested resource not found: ${String(arn)}`);
    return job;
  };

  const create = async (kind: JobKind, input: Input): Promise<Output> => {
    const label = LABEL[kind];
    const name = String(input[`${label}JobName`]);
    if (kind === 'training') checkTraining(input as unknown as CreateTrainingJobRequest);
    else checkProcessing(input as unknown as CreateProcessingJobRequest);
    const refuseReuse = (): void => {
      const existing = store.get(kind, name);
      if (existing !== undefined)
        throw new ServiceRefusal(
          'ResourceInUse',
          `${label} job names must be unique within an AWS account and region, and a ${kind} job with this name already exists (${existing.arn})`,
        );
    };
    refuseReuse();
    const roleArn = String(input['RoleArn']);
    if (!(await options.mayAssume(roleArn)))
      throw invalid(
        `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.`,
      );
    // Another call with this name may have come in while the role was looked up.
    refuseReuse();
    const arn = `arn:aws:sagemaker:${options.region}:${options.account}:${kind}-job/${name}`;
    const at = now().toISOString();
    const { Tags, ...request } = input;
    store.add({
      kind,
      name,
      arn,
      request,
      creationTime: at,
      lastModifiedTime: at,
      status: 'InProgress',
      transitions: [{ Status: 'Starting', StartTime: at, StatusMessage: 'Preparing the instances for training' }],
      tags: tagMap(Tags),
    });
    runner.start(kind, name);
    return { [`${label}JobArn`]: arn };
  };

  const stop = (kind: JobKind, input: Input): Output => {
    const job = need(kind, input[`${LABEL[kind]}JobName`]);
    if (isOver(job)) throw invalid(`The request was rejected because the ${kind} job is in status ${job.status}.`);
    if (job.status !== 'Stopping') runner.stop(kind, job.name);
    return {};
  };

  const describe = (kind: JobKind, input: Input): Output => {
    const job = need(kind, input[`${LABEL[kind]}JobName`]);
    return kind === 'training' ? describeTraining(job) : describeProcessing(job);
  };

  const operations: Record<(typeof OPERATIONS)[number], (input: Input) => Output | Promise<Output>> = {
    CreateTrainingJob: (input) => create('training', input),
    DescribeTrainingJob: (input) => describe('training', input),
    ListTrainingJobs: (input) => listJobs('training', store.list('training'), input),
    StopTrainingJob: (input) => stop('training', input),
    CreateProcessingJob: (input) => create('processing', input),
    DescribeProcessingJob: (input) => describe('processing', input),
    ListProcessingJobs: (input) => listJobs('processing', store.list('processing'), input),
    StopProcessingJob: (input) => stop('processing', input),
    AddTags: (input) => {
      const job = byArn(input['ResourceArn']);
      const tags = { ...job.tags, ...tagMap(input['Tags']) };
      if (Object.keys(tags).length > 50)
        throw new ServiceRefusal(
          'ResourceLimitExceeded',
          `A resource can have at most 50 tags, it would have ${Object.keys(tags).length}`,
        );
      store.update(job.kind, job.name, { tags });
      return { Tags: tagList(tags) };
    },
    ListTags: (input) => ({ Tags: tagList(byArn(input['ResourceArn']).tags) }),
    DeleteTags: (input) => {
      const job = byArn(input['ResourceArn']);
      const gone = new Set(list(input['TagKeys']));
      store.update(job.kind, job.name, {
        tags: Object.fromEntries(Object.entries(job.tags).filter(([key]) => !gone.has(key))),
      });
      return {};
    },
  };

  return async (operation: string, input: unknown): Promise<Output> => {
    if (!model.operations.has(operation))
      throw new ServiceRefusal('UnknownOperationException', `SageMaker has no operation ${operation}`, 404);
    const problems = model.validate(operation, input);
    if (problems.length > 0) throw invalid(validationMessage(problems));
    if (!Object.hasOwn(operations, operation))
      throw new ServiceRefusal(
        'UnknownOperationException',
        `the local plant does not offer SageMaker's ${operation}; it offers ${OPERATIONS.join(', ')}`,
        501,
      );
    return operations[operation as (typeof OPERATIONS)[number]](withoutNulls(input) as Input);
  };
};

const withoutNulls = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== null)
      .map(([k, v]) => [k, withoutNulls(v)]),
  );
};

const tagMap = (tags: unknown): Record<string, string> =>
  Object.fromEntries(list(tags).map((t) => [(t as { Key: string }).Key, (t as { Value: string }).Value]));
const tagList = (tags: Readonly<Record<string, string>>) =>
  Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const when = (iso: string | undefined): Date | undefined => (iso === undefined ? undefined : new Date(iso));

/** Refuses what the stand-in would otherwise leave undone in silence. */
const notHere = (what: string): never => {
  throw invalid(`the local plant does not do ${what}; only AWS does`);
};

const ONE_INSTANCE = (kind: JobKind, count: number | undefined): void => {
  if (count !== undefined && count > 1)
    throw new ServiceRefusal(
      'ResourceLimitExceeded',
      `The account-level service limit 'instances of one ${kind} job' is 1 Instances in the local plant, with a request delta of ${count} Instances. Ask for one instance.`,
    );
};

const checkTraining = (input: CreateTrainingJobRequest): void => {
  const algorithm = input.AlgorithmSpecification;
  if (input.ServerlessJobConfig !== undefined) notHere('serverless training jobs (ServerlessJobConfig)');
  if (algorithm === undefined) throw invalid('AlgorithmSpecification is required unless ServerlessJobConfig is given');
  if (algorithm.AlgorithmName !== undefined && algorithm.TrainingImage !== undefined)
    throw invalid('You can specify either AlgorithmName or TrainingImage, not both');
  if (algorithm.AlgorithmName !== undefined) notHere('algorithms by name (AlgorithmName)');
  if (algorithm.TrainingImage === undefined || algorithm.TrainingImage === '')
    throw invalid('You must specify either AlgorithmName or TrainingImage');
  if (algorithm.TrainingInputMode !== 'File') notHere(`the input mode ${algorithm.TrainingInputMode}, only File`);
  for (const { Name, Regex } of algorithm.MetricDefinitions ?? []) {
    try {
      new RegExp(Regex ?? '');
    } catch {
      throw invalid(`MetricDefinitions: the Regex of ${Name} is not a regular expression: ${Regex}`);
    }
  }
  if (input.ResourceConfig === undefined)
    throw invalid('ResourceConfig is required unless ServerlessJobConfig is given');
  if (input.StoppingCondition === undefined)
    throw invalid('StoppingCondition is required unless ServerlessJobConfig is given');
  ONE_INSTANCE('training', input.ResourceConfig.InstanceCount);
  if ((input.ResourceConfig.InstanceGroups?.length ?? 0) > 0) notHere('instance groups');
  const { MaxRuntimeInSeconds: runtime = 86_400, MaxWaitTimeInSeconds: wait } = input.StoppingCondition;
  if (input.EnableManagedSpotTraining === true && (wait === undefined || wait < runtime))
    throw invalid(
      'MaxWaitTimeInSeconds must be present and at least MaxRuntimeInSeconds when EnableManagedSpotTraining is true',
    );
  if (input.EnableManagedSpotTraining !== true && wait !== undefined)
    throw invalid('MaxWaitTimeInSeconds may be given only when EnableManagedSpotTraining is true');
  const names = (input.InputDataConfig ?? []).map((c) => c.ChannelName);
  if (new Set(names).size !== names.length) throw invalid(`Duplicate channel names: ${names.join(', ')}`);
  for (const channel of input.InputDataConfig ?? []) {
    const source = channel.DataSource?.S3DataSource;
    const what = `channel ${channel.ChannelName}`;
    if (channel.ChannelName === '.' || channel.ChannelName === '..') throw invalid(`${what} is not a folder name`);
    if (source === undefined) notHere(`data sources other than S3 (${what})`);
    checkSource(what, source?.S3Uri, source?.S3DataType);
    if (channel.InputMode !== undefined && channel.InputMode !== 'File')
      notHere(`the input mode ${channel.InputMode} (${what})`);
    if (channel.RecordWrapperType !== undefined && channel.RecordWrapperType !== 'None')
      notHere(`RecordIO wrapping (${what})`);
    if (channel.ShuffleConfig !== undefined) notHere(`shuffling (${what})`);
  }
  checkS3('OutputDataConfig.S3OutputPath', input.OutputDataConfig?.S3OutputPath);
  if (input.CheckpointConfig !== undefined) {
    checkS3('CheckpointConfig.S3Uri', input.CheckpointConfig.S3Uri);
    checkLocal('CheckpointConfig.LocalPath', input.CheckpointConfig.LocalPath, '/opt/ml/checkpoints');
  }
};

const checkProcessing = (input: CreateProcessingJobRequest): void => {
  ONE_INSTANCE('processing', input.ProcessingResources?.ClusterConfig?.InstanceCount);
  for (const { InputName, S3Input, DatasetDefinition } of input.ProcessingInputs ?? []) {
    const what = `input ${InputName}`;
    if (DatasetDefinition !== undefined || S3Input === undefined) notHere(`inputs other than S3Input (${what})`);
    checkSource(what, S3Input?.S3Uri, S3Input?.S3DataType);
    if (S3Input?.S3InputMode === 'Pipe') notHere(`the input mode Pipe (${what})`);
    checkLocal(`${what}.S3Input.LocalPath`, S3Input?.LocalPath, '/opt/ml/processing');
  }
  for (const { OutputName, S3Output } of input.ProcessingOutputConfig?.Outputs ?? []) {
    const what = `output ${OutputName}`;
    if (S3Output === undefined) notHere(`outputs other than S3Output (${what})`);
    if (S3Output?.S3UploadMode === 'Continuous') notHere(`continuous upload (${what}); use EndOfJob`);
    checkS3(`${what}.S3Output.S3Uri`, S3Output?.S3Uri);
    checkLocal(`${what}.S3Output.LocalPath`, S3Output?.LocalPath, '/opt/ml/processing');
  }
};

const checkSource = (what: string, uri: string | undefined, type: string | undefined): void => {
  checkS3(`${what}: S3Uri`, uri);
  if (type !== 'S3Prefix' && type !== 'ManifestFile') notHere(`the S3DataType ${type} (${what})`);
};

const checkS3 = (what: string, uri: string | undefined): void => {
  if (uri === undefined || !uri.startsWith('s3://'))
    throw invalid(`${what} must be an S3 URI (s3://bucket/key), it is ${uri}`);
};

const checkLocal = (what: string, path: string | undefined, below: string): void => {
  if (path === undefined) return;
  if ((path !== below && !path.startsWith(`${below}/`)) || path.split('/').includes('..'))
    throw invalid(`${what} must begin with ${below} and stay below it, it is ${path}`);
};

const describeTraining = (job: Job): Output => {
  const request = job.request as unknown as CreateTrainingJobRequest;
  const seconds =
    job.startTime === undefined || job.endTime === undefined
      ? undefined
      : Math.max(1, Math.ceil((Date.parse(job.endTime) - Date.parse(job.startTime)) / 1000));
  const folder = `${(request.OutputDataConfig?.S3OutputPath ?? '').replace(/\/+$/, '')}/${job.name}/output`;
  return {
    ...request,
    TrainingJobName: job.name,
    TrainingJobArn: job.arn,
    ModelArtifacts: {
      S3ModelArtifacts:
        request.OutputDataConfig?.CompressionType === 'NONE' ? `${folder}/model/` : `${folder}/model.tar.gz`,
    },
    TrainingJobStatus: job.status,
    SecondaryStatus: job.transitions.at(-1)?.Status ?? 'Starting',
    SecondaryStatusTransitions: job.transitions.map((t) => ({
      ...t,
      StartTime: when(t.StartTime),
      EndTime: when(t.EndTime),
    })),
    FailureReason: job.failureReason,
    CreationTime: when(job.creationTime),
    TrainingStartTime: when(job.startTime),
    TrainingEndTime: when(job.endTime),
    LastModifiedTime: when(job.lastModifiedTime),
    TrainingTimeInSeconds: seconds,
    BillableTimeInSeconds: seconds,
    FinalMetricDataList: job.metrics?.map((m) => ({ ...m, Timestamp: when(m.Timestamp) })),
    EnableNetworkIsolation: request.EnableNetworkIsolation ?? false,
    EnableInterContainerTrafficEncryption: request.EnableInterContainerTrafficEncryption ?? false,
    EnableManagedSpotTraining: request.EnableManagedSpotTraining ?? false,
  };
};

const describeProcessing = (job: Job): Output => ({
  ...job.request,
  ProcessingJobName: job.name,
  ProcessingJobArn: job.arn,
  ProcessingJobStatus: job.status,
  ExitMessage: job.exitMessage,
  FailureReason: job.failureReason,
  CreationTime: when(job.creationTime),
  ProcessingStartTime: when(job.startTime),
  ProcessingEndTime: when(job.endTime),
  LastModifiedTime: when(job.lastModifiedTime),
});

type SortKey = readonly [string, string];

const compare = (a: SortKey, b: SortKey): number =>
  a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0;

/** The page goes on after the last job seen, so jobs that come in between neither repeat nor hide others. */
const listJobs = (kind: JobKind, jobs: readonly Job[], input: Input): Output => {
  const label = LABEL[kind];
  const { NextToken, MaxResults, ...filters } = input as ListTrainingJobsRequest;
  const asked = JSON.stringify([kind, Object.entries(filters).sort(([a], [b]) => (a < b ? -1 : 1))]);
  let after: SortKey | undefined;
  if (NextToken !== undefined) {
    const [from, key] = readToken(NextToken);
    if (from !== asked || key === undefined)
      throw invalid('Invalid pagination token: it does not belong to this request.');
    after = key;
  }
  const direction = filters.SortOrder === 'Descending' ? -1 : 1;
  const keyOf = (job: Job): SortKey => [
    filters.SortBy === 'Name' ? job.name : filters.SortBy === 'Status' ? job.status : job.creationTime,
    job.name,
  ];
  const seconds = (time: unknown): number => Number(time) * 1000;
  const found = jobs
    .filter(
      (job) =>
        (filters.StatusEquals === undefined || job.status === filters.StatusEquals) &&
        (filters.NameContains === undefined || job.name.toLowerCase().includes(filters.NameContains.toLowerCase())) &&
        (filters.CreationTimeAfter === undefined ||
          Date.parse(job.creationTime) > seconds(filters.CreationTimeAfter)) &&
        (filters.CreationTimeBefore === undefined ||
          Date.parse(job.creationTime) < seconds(filters.CreationTimeBefore)) &&
        (filters.LastModifiedTimeAfter === undefined ||
          Date.parse(job.lastModifiedTime) > seconds(filters.LastModifiedTimeAfter)) &&
        (filters.LastModifiedTimeBefore === undefined ||
          Date.parse(job.lastModifiedTime) < seconds(filters.LastModifiedTimeBefore)) &&
        filters.WarmPoolStatusEquals === undefined &&
        filters.TrainingPlanArnEquals === undefined &&
        (after === undefined || compare(keyOf(job), after) * direction > 0),
    )
    .sort((a, b) => compare(keyOf(a), keyOf(b)) * direction);
  const page = found.slice(0, MaxResults ?? 10);
  const last = page.at(-1);
  return {
    [`${label}JobSummaries`]: page.map((job) => ({
      [`${label}JobName`]: job.name,
      [`${label}JobArn`]: job.arn,
      [`${label}JobStatus`]: job.status,
      CreationTime: when(job.creationTime),
      LastModifiedTime: when(job.lastModifiedTime),
      [`${label}EndTime`]: when(job.endTime),
      ...(kind === 'training'
        ? { SecondaryStatus: job.transitions.at(-1)?.Status }
        : { FailureReason: job.failureReason, ExitMessage: job.exitMessage }),
    })),
    ...(last === undefined || page.length === found.length
      ? {}
      : { NextToken: Buffer.from(JSON.stringify([asked, keyOf(last)])).toString('base64') }),
  };
};

const readToken = (token: string): readonly [string | undefined, SortKey | undefined] => {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
    const [asked, key] = list(parsed);
    if (typeof asked === 'string' && Array.isArray(key) && key.length === 2)
      return [asked, [String(key[0]), String(key[1])]];
  } catch {
    // not one of ours
  }
  return [undefined, undefined];
};
