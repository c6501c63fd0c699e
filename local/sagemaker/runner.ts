import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import type {
  Channel,
  CreateProcessingJobRequest,
  CreateTrainingJobRequest,
  ProcessingInput,
  ProcessingOutput,
} from '@aws-sdk/client-sagemaker';
import { makeContainerHost } from './container.ts';
import { isOver, type Job, type JobKind, type JobStore, terminal } from './job-store.ts';
import { makeS3Transfer, roleCredentials, type S3Transfer, TransferError } from './s3-transfer.ts';
import { filesBelow, packTarGz } from './tar.ts';

/** What stands for a container image here: the process that its entrypoint would be. */
export type LocalImage = {
  /** Entrypoint with arguments, for example `[python, '-m', 'millwright_training', 'train']`; the first is absolute. */
  readonly command: readonly string[];
  /** The image's working folder, absolute. */
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Image URI prefixes and what stands for them; the longest that fits wins. */
export type LocalImages = Readonly<Record<string, LocalImage>>;

export type RunnerOptions = {
  readonly store: JobStore;
  readonly images: LocalImages;
  readonly awsUrl: string;
  readonly region: string;
  /** Private roots of running jobs; emptied at the start. */
  readonly workDir: string;
  readonly logDir: string;
  /** Time between SIGTERM and SIGKILL; 120 s in AWS. */
  readonly graceMs: number;
  readonly parallelJobs: number;
  readonly now: () => Date;
  readonly log: (line: string) => void;
};

export interface Runner {
  start(kind: JobKind, name: string): void;
  stop(kind: JobKind, name: string): void;
  /** Kills what runs and takes no more; the jobs stay open in the store. */
  shutdown(): void;
}

const MAX_REASON = 1024;
const DAY_S = 86_400;
/** What a shell says of a program that SIGKILL ended: by hand, or for want of memory. */
const KILLED = 137;

/** A job's end that is no success; the reason is what Describe shows. */
class JobFailure extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'JobFailure';
  }
}

const cut = (text: string): string => (text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text);

const textOf = async (path: string): Promise<string> => {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return '';
  }
};

/** The image for a URI. @throws {JobFailure} naming the prefixes known. */
const imageFor = (images: LocalImages, uri: string): LocalImage => {
  const prefix = Object.keys(images)
    .filter((p) => uri.startsWith(p))
    .sort((a, b) => b.length - a.length)[0];
  const image = prefix === undefined ? undefined : images[prefix];
  if (image === undefined)
    throw new JobFailure(
      `ClientError: Cannot pull the image ${uri}: the local plant runs no containers, only programs that stand for images, ` +
        `and knows these: ${Object.keys(images).join(', ') || '(none)'}.`,
    );
  return image;
};

/** The interpreter of the image, where the request asks for Python by its name in the container. */
const commandOf = (
  image: LocalImage,
  entrypoint: readonly string[] | undefined,
  args: readonly string[] | undefined,
) => {
  const [first = '', ...rest] = entrypoint ?? image.command;
  const program = /^(?:\/usr\/(?:local\/)?bin\/)?python3?$/.test(first) ? (image.command[0] ?? first) : first;
  return [program, ...rest, ...(args ?? [])];
};

export const makeRunner = (options: RunnerOptions): Runner => {
  const { store, awsUrl, region, now, log } = options;
  const host = makeContainerHost(options.graceMs);
  const stops = new Map<string, AbortController>();
  const waiting: (() => Promise<void>)[] = [];
  let running = 0;
  let open = true;

  const pump = (): void => {
    while (open && running < options.parallelJobs) {
      const next = waiting.shift();
      if (next === undefined) return;
      running += 1;
      void next().finally(() => {
        running -= 1;
        pump();
      });
    }
  };

  /** What the container sees of the machine and its role; nothing of this process's own environment but the PATH. */
  const baseEnv = async (root: string, roleArn: string, session: string, isolated: boolean) => ({
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    HOME: root,
    TMPDIR: join(root, 'tmp'),
    PYTHONUNBUFFERED: '1',
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    MILLWRIGHT_ML_ROOT: root,
    ...(isolated ? {} : await roleEnv(roleArn, session)),
  });

  const roleEnv = async (roleArn: string, session: string): Promise<Record<string, string>> => {
    const c = await roleCredentials(awsUrl, region, roleArn, session)();
    return {
      AWS_ENDPOINT_URL: awsUrl,
      AWS_ACCESS_KEY_ID: c.accessKeyId,
      AWS_SECRET_ACCESS_KEY: c.secretAccessKey,
      AWS_SESSION_TOKEN: c.sessionToken ?? '',
    };
  };

  const channelSource = (channel: Channel) => {
    const source = channel.DataSource?.S3DataSource;
    return {
      name: channel.ChannelName ?? '',
      uri: source?.S3Uri ?? '',
      type: source?.S3DataType === 'ManifestFile' ? ('ManifestFile' as const) : ('S3Prefix' as const),
      gunzip: channel.CompressionType === 'Gzip',
    };
  };

  const train = async (job: Job, root: string, s3: S3Transfer, stop: AbortSignal): Promise<void> => {
    const request = job.request as unknown as CreateTrainingJobRequest;
    const { name } = job;
    const roleArn = request.RoleArn ?? '';
    const ml = join(root, 'opt/ml');
    const config = join(ml, 'input/config');
    const model = join(ml, 'model');
    const outputData = join(ml, 'output/data');
    for (const folder of [config, join(ml, 'input/data'), model, outputData, join(ml, 'code'), join(root, 'tmp')])
      await mkdir(folder, { recursive: true });

    const image = imageFor(options.images, request.AlgorithmSpecification?.TrainingImage ?? '');
    store.enter('training', name, 'Downloading', 'Downloading input data');
    const channels = (request.InputDataConfig ?? []).map(channelSource);
    for (const channel of channels) {
      const into = join(ml, 'input/data', channel.name);
      await mkdir(into, { recursive: true });
      const got = await s3.download({ ...channel, into, roleArn, signal: stop });
      log(`training job ${name}: channel ${channel.name}, ${got.files} files, ${got.bytes} bytes`);
    }
    const checkpoints = request.CheckpointConfig;
    const checkpointDir = join(root, checkpoints?.LocalPath ?? '/opt/ml/checkpoints');
    if (checkpoints !== undefined) await mkdir(checkpointDir, { recursive: true });

    const resources = {
      current_host: 'algo-1',
      current_instance_type: request.ResourceConfig?.InstanceType,
      current_group_name: 'homogeneousCluster',
      hosts: ['algo-1'],
      instance_groups: [
        {
          instance_group_name: 'homogeneousCluster',
          instance_type: request.ResourceConfig?.InstanceType,
          hosts: ['algo-1'],
        },
      ],
      network_interface_name: 'lo',
    };
    const hyperparameters = request.HyperParameters ?? {};
    const inputs = Object.fromEntries(
      (request.InputDataConfig ?? []).map((c) => [
        c.ChannelName,
        {
          ContentType: c.ContentType,
          TrainingInputMode: c.InputMode ?? request.AlgorithmSpecification?.TrainingInputMode,
          S3DistributionType: c.DataSource?.S3DataSource?.S3DataDistributionType ?? 'FullyReplicated',
          RecordWrapperType: c.RecordWrapperType ?? 'None',
        },
      ]),
    );
    await writeFile(join(config, 'hyperparameters.json'), JSON.stringify(hyperparameters));
    await writeFile(join(config, 'inputdataconfig.json'), JSON.stringify(inputs));
    await writeFile(join(config, 'resourceconfig.json'), JSON.stringify(resources));

    // The toolkit of SageMaker's own images reads each hyperparameter as JSON where it is JSON.
    const parsed = Object.fromEntries(Object.entries(hyperparameters).map(([k, v]) => [k, asJson(v)]));
    const trainingEnv = {
      channel_input_dirs: Object.fromEntries(channels.map((c) => [c.name, join(ml, 'input/data', c.name)])),
      current_host: 'algo-1',
      hosts: ['algo-1'],
      hyperparameters: parsed,
      input_config_dir: config,
      input_data_config: inputs,
      input_dir: join(ml, 'input'),
      job_name: name,
      model_dir: model,
      num_cpus: cpus().length,
      num_gpus: 0,
      output_data_dir: outputData,
      output_dir: join(ml, 'output'),
      resource_config: resources,
    };
    const env: Record<string, string> = {
      ...(await baseEnv(root, roleArn, name, request.EnableNetworkIsolation === true)),
      ...image.env,
      ...request.Environment,
      MILLWRIGHT_ML_ROOT: root,
      TRAINING_JOB_NAME: name,
      TRAINING_JOB_ARN: job.arn,
      SM_CHANNELS: JSON.stringify(channels.map((c) => c.name)),
      SM_CURRENT_HOST: 'algo-1',
      SM_HOSTS: '["algo-1"]',
      SM_HPS: JSON.stringify(parsed),
      SM_INPUT_CONFIG_DIR: config,
      SM_INPUT_DATA_CONFIG: JSON.stringify(inputs),
      SM_INPUT_DIR: join(ml, 'input'),
      SM_MODEL_DIR: model,
      SM_NUM_CPUS: String(cpus().length),
      SM_NUM_GPUS: '0',
      SM_OUTPUT_DATA_DIR: outputData,
      SM_OUTPUT_DIR: join(ml, 'output'),
      SM_RESOURCE_CONFIG: JSON.stringify(resources),
      SM_TRAINING_ENV: JSON.stringify(trainingEnv),
    };
    for (const c of channels) env[`SM_CHANNEL_${envName(c.name)}`] = join(ml, 'input/data', c.name);
    for (const [k, v] of Object.entries(hyperparameters)) env[`SM_HP_${envName(k)}`] = v;

    if (checkpoints?.S3Uri !== undefined && !stop.aborted)
      await s3
        .download({
          uri: checkpoints.S3Uri,
          type: 'S3Prefix',
          gunzip: false,
          into: checkpointDir,
          roleArn,
          signal: stop,
        })
        .catch((error: unknown) => {
          // A first run has no checkpoint yet; anything else is a fault.
          if (!(error instanceof TransferError && error.message.includes('No S3 objects found'))) throw error;
        });

    const metrics = new Map<string, { MetricName: string; Value: number; Timestamp: string }>();
    const definitions = (request.AlgorithmSpecification?.MetricDefinitions ?? []).map((d) => ({
      name: d.Name ?? '',
      regex: new RegExp(d.Regex ?? ''),
    }));
    if (stop.aborted) return finish(job, 'Stopped', 'Training job stopped');
    store.enter('training', name, 'Training', 'Training image download completed. Training in progress.', {
      startTime: now().toISOString(),
    });
    const end = await host.run({
      command: commandOf(
        image,
        request.AlgorithmSpecification?.ContainerEntrypoint,
        request.AlgorithmSpecification?.ContainerArguments,
      ),
      cwd: image.cwd,
      env,
      logFile: join(options.logDir, `training-${name}.log`),
      onLine: (line) => {
        for (const { name: metric, regex } of definitions) {
          const value = Number(regex.exec(line)?.[1] ?? Number.NaN);
          // JSON has no NaN; one in an answer would break the state machine that reads it.
          if (Number.isFinite(value))
            metrics.set(metric, { MetricName: metric, Value: value, Timestamp: now().toISOString() });
        }
      },
      maxRuntimeMs: (request.StoppingCondition?.MaxRuntimeInSeconds ?? DAY_S) * 1000,
      stop,
    });
    const found = metrics.size === 0 ? {} : { metrics: [...metrics.values()] };
    const s3Path = (request.OutputDataConfig?.S3OutputPath ?? '').replace(/\/+$/, '');
    const target = `${s3Path}/${name}/output`;
    const kms = request.OutputDataConfig?.KmsKeyId || undefined;
    const failure = await textOf(join(ml, 'output/failure'));
    const failed = end.exitCode !== 0 && end.why === 'exit';
    store.enter(
      'training',
      name,
      'Uploading',
      failed ? 'Uploading generated output' : 'Uploading generated training model',
      found,
    );
    if (checkpoints?.S3Uri !== undefined) await s3.uploadFolder(checkpointDir, checkpoints.S3Uri);
    const compressed = request.OutputDataConfig?.CompressionType !== 'NONE';
    const put = async (folder: string, what: 'model' | 'output'): Promise<void> => {
      if (!compressed) {
        await s3.uploadFolder(folder, `${target}/${what}`, kms);
        return;
      }
      const archive = join(root, `${what}.tar.gz`);
      await packTarGz(folder, archive);
      await s3.uploadFile(archive, `${target}/${what}.tar.gz`, kms);
    };
    if ((await filesBelow(outputData)).length > 0) await put(outputData, 'output');
    if (failed)
      throw new JobFailure(
        `AlgorithmError: ${failure || (end.exitCode === KILLED ? 'the program was killed' : 'the program wrote no failure file')}, exit code: ${end.exitCode}`,
      );
    await put(model, 'model');
    if (end.why === 'stopped') return finish(job, 'Stopped', 'Training job stopped');
    if (end.why === 'timeout')
      return finish(job, 'MaxRuntimeExceeded', 'Training job runtime exceeded MaxRuntimeInSeconds provided');
    finish(job, 'Completed', 'Training job completed');
  };

  const process_ = async (job: Job, root: string, s3: S3Transfer, stop: AbortSignal): Promise<void> => {
    const request = job.request as unknown as CreateProcessingJobRequest;
    const { name } = job;
    const roleArn = request.RoleArn ?? '';
    const config = join(root, 'opt/ml/config');
    for (const folder of [config, join(root, 'opt/ml/output'), join(root, 'tmp')])
      await mkdir(folder, { recursive: true });
    const image = imageFor(options.images, request.AppSpecification?.ImageUri ?? '');
    const local = (part: ProcessingInput['S3Input'] | ProcessingOutput['S3Output']): string =>
      join(root, part?.LocalPath ?? '/opt/ml/processing');
    for (const input of request.ProcessingInputs ?? []) {
      const into = local(input.S3Input);
      await mkdir(into, { recursive: true });
      const got = await s3.download({
        uri: input.S3Input?.S3Uri ?? '',
        type: input.S3Input?.S3DataType === 'ManifestFile' ? 'ManifestFile' : 'S3Prefix',
        gunzip: input.S3Input?.S3CompressionType === 'Gzip',
        into,
        roleArn,
        signal: stop,
      });
      log(`processing job ${name}: input ${input.InputName}, ${got.files} files, ${got.bytes} bytes`);
    }
    const outputs = request.ProcessingOutputConfig?.Outputs ?? [];
    for (const output of outputs) await mkdir(local(output.S3Output), { recursive: true });
    await writeFile(
      join(config, 'processingjobconfig.json'),
      JSON.stringify({ ProcessingJobArn: job.arn, ...request }),
    );
    await writeFile(join(config, 'resourceconfig.json'), JSON.stringify({ current_host: 'algo-1', hosts: ['algo-1'] }));
    if (stop.aborted) return finish(job, 'Stopped', 'stopped');
    store.update('processing', name, { startTime: now().toISOString() });
    const end = await host.run({
      command: commandOf(
        image,
        request.AppSpecification?.ContainerEntrypoint,
        request.AppSpecification?.ContainerArguments,
      ),
      cwd: image.cwd,
      env: {
        ...(await baseEnv(root, roleArn, name, request.NetworkConfig?.EnableNetworkIsolation === true)),
        ...image.env,
        ...request.Environment,
        MILLWRIGHT_ML_ROOT: root,
        PROCESSING_JOB_NAME: name,
        PROCESSING_JOB_ARN: job.arn,
      },
      logFile: join(options.logDir, `processing-${name}.log`),
      onLine: () => {},
      maxRuntimeMs: (request.StoppingCondition?.MaxRuntimeInSeconds ?? DAY_S) * 1000,
      stop,
    });
    const message = await textOf(join(root, 'opt/ml/output/message'));
    if (message !== '') store.update('processing', name, { exitMessage: cut(message) });
    if (end.why === 'stopped') return finish(job, 'Stopped', 'stopped');
    if (end.why === 'timeout') {
      store.update('processing', name, { exitMessage: 'Processing job runtime exceeded MaxRuntimeInSeconds' });
      return finish(job, 'Stopped', 'runtime exceeded');
    }
    if (end.exitCode !== 0) {
      // AWS says only "See job logs"; the trainer's own words stand in the failure file and save the reader a search.
      const failure = await textOf(join(root, 'opt/ml/output/failure'));
      throw new JobFailure(
        `AlgorithmError: See job logs for more information${failure === '' ? '' : `: ${failure}`}, exit code: ${end.exitCode}`,
      );
    }
    for (const output of outputs)
      await s3.uploadFolder(
        local(output.S3Output),
        output.S3Output?.S3Uri ?? '',
        request.ProcessingOutputConfig?.KmsKeyId || undefined,
      );
    finish(job, 'Completed', 'completed');
  };

  const finish = (job: Job, how: keyof typeof terminal, message: string, change: Partial<Job> = {}): void => {
    if (!open) return;
    store.enter(job.kind, job.name, how, cut(message), { ...change, status: terminal[how] });
    log(`${job.kind} job ${job.name}: ${how}${how === 'Failed' ? `: ${message}` : ''}`);
  };

  const run = async (kind: JobKind, name: string, stop: AbortSignal): Promise<void> => {
    const job = store.get(kind, name);
    if (job === undefined) return;
    const root = join(options.workDir, basename(`${kind}-${name}`));
    const roleArn = String(job.request['RoleArn']);
    const s3 = makeS3Transfer(awsUrl, region, roleCredentials(awsUrl, region, roleArn, name));
    try {
      if (stop.aborted) return finish(job, 'Stopped', 'stopped before it began');
      await mkdir(root, { recursive: true });
      await (kind === 'training' ? train : process_)(job, root, s3, stop);
    } catch (error) {
      const known = error instanceof JobFailure || error instanceof TransferError;
      if (stop.aborted && !known) return finish(job, 'Stopped', 'stopped');
      const text = known ? error.message : `InternalServerError: ${String(error)}`;
      finish(job, 'Failed', text, { failureReason: cut(text) });
    } finally {
      s3.destroy();
      await rm(root, { recursive: true, force: true });
    }
  };

  return {
    start: (kind, name) => {
      const controller = new AbortController();
      stops.set(`${kind}/${name}`, controller);
      waiting.push(() =>
        run(kind, name, controller.signal)
          .catch((error: unknown) => log(`${kind} job ${name}: ${String(error)}`))
          .finally(() => stops.delete(`${kind}/${name}`)),
      );
      pump();
    },
    stop: (kind, name) => {
      const job = store.get(kind, name);
      if (job === undefined || isOver(job)) return;
      store.enter(kind, name, 'Stopping', 'Stopping the job', { status: 'Stopping' });
      stops.get(`${kind}/${name}`)?.abort();
    },
    shutdown: () => {
      open = false;
      host.killAll();
    },
  };
};

const envName = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9_]/g, '_');

const asJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};
