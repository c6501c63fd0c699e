import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type JobKind = 'training' | 'processing';
export type JobStatus = 'InProgress' | 'Completed' | 'Failed' | 'Stopping' | 'Stopped';
export type SecondaryStatus =
  | 'Starting'
  | 'Downloading'
  | 'Training'
  | 'Uploading'
  | 'Stopping'
  | 'Stopped'
  | 'MaxRuntimeExceeded'
  | 'Completed'
  | 'Failed';

export type Transition = {
  readonly Status: SecondaryStatus;
  readonly StartTime: string;
  readonly EndTime?: string;
  readonly StatusMessage: string;
};

/** A job as it lies on disk. Times are ISO 8601; `request` is the create call, already validated against the API model. */
export type Job = {
  readonly kind: JobKind;
  readonly name: string;
  readonly arn: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly creationTime: string;
  readonly lastModifiedTime: string;
  readonly status: JobStatus;
  readonly transitions: readonly Transition[];
  readonly tags: Readonly<Record<string, string>>;
  readonly startTime?: string;
  readonly endTime?: string;
  readonly failureReason?: string;
  readonly exitMessage?: string;
  readonly metrics?: readonly { readonly MetricName: string; readonly Value: number; readonly Timestamp: string }[];
};

export const isOver = (job: Job): boolean => ['Completed', 'Failed', 'Stopped'].includes(job.status);

/** Says why a job that was under way at the last stop did not end. */
export const PLANT_STOPPED =
  'InternalServerError: the local plant was stopped while the job was running. Start the job again.';

export interface JobStore {
  get(kind: JobKind, name: string): Job | undefined;
  byArn(arn: string): Job | undefined;
  list(kind: JobKind): readonly Job[];
  add(job: Job): void;
  /** Changes a job and writes it to disk before it returns. */
  update(kind: JobKind, name: string, change: Partial<Job>): Job;
  /** Closes the open secondary status and opens the next. */
  enter(kind: JobKind, name: string, status: SecondaryStatus, message: string, change?: Partial<Job>): Job;
}

/** A job's end: last secondary status, its message, and what else changes. */
export const terminal: Readonly<Record<'Completed' | 'Failed' | 'Stopped' | 'MaxRuntimeExceeded', JobStatus>> = {
  Completed: 'Completed',
  Failed: 'Failed',
  Stopped: 'Stopped',
  MaxRuntimeExceeded: 'Stopped',
};

const fileName = (name: string): string =>
  // Names that differ in case only would share a file where the file system folds case.
  `${name}.${createHash('sha256').update(name).digest('hex').slice(0, 8)}.json`;

/**
 * Jobs on disk, one JSON file each, replaced atomically. Jobs that were under way when the last process ended are
 * closed as Failed: their process is gone.
 * @throws {Error} naming the file when one cannot be read.
 */
export const openJobStore = (folder: string, now: () => Date): JobStore => {
  const jobs: Record<JobKind, Map<string, Job>> = { training: new Map(), processing: new Map() };
  const write = (job: Job): void => {
    const path = join(folder, job.kind, fileName(job.name));
    writeFileSync(`${path}.new`, JSON.stringify(job, null, 1));
    renameSync(`${path}.new`, path);
  };
  const need = (kind: JobKind, name: string): Job => {
    const job = jobs[kind].get(name);
    if (job === undefined) throw new RangeError(`no ${kind} job ${name} in the store`);
    return job;
  };
  const update: JobStore['update'] = (kind, name, change) => {
    const job = { ...need(kind, name), ...change, lastModifiedTime: now().toISOString() };
    // First in memory: on a full disk a job still ends for those who ask, and is closed as Failed at the next start.
    jobs[kind].set(name, job);
    write(job);
    return job;
  };
  const enter: JobStore['enter'] = (kind, name, status, message, change = {}) => {
    const at = now().toISOString();
    const over = status in terminal;
    const closed = need(kind, name).transitions.map((t) => (t.EndTime === undefined ? { ...t, EndTime: at } : t));
    const next: Transition = {
      Status: status,
      StartTime: at,
      StatusMessage: message,
      ...(over ? { EndTime: at } : {}),
    };
    return update(kind, name, { ...change, transitions: [...closed, next], ...(over ? { endTime: at } : {}) });
  };

  for (const kind of ['training', 'processing'] as const) {
    mkdirSync(join(folder, kind), { recursive: true });
    for (const file of readdirSync(join(folder, kind)).filter((f) => f.endsWith('.json'))) {
      const path = join(folder, kind, file);
      try {
        const job = JSON.parse(readFileSync(path, 'utf8')) as Job;
        jobs[kind].set(job.name, job);
      } catch (error) {
        throw new Error(`cannot read the job record ${path}: ${String(error)}; delete it, or start with --fresh`);
      }
    }
    for (const job of jobs[kind].values())
      if (!isOver(job))
        enter(kind, job.name, 'Failed', PLANT_STOPPED, { status: 'Failed', failureReason: PLANT_STOPPED });
  }

  return {
    get: (kind, name) => jobs[kind].get(name),
    byArn: (arn) => [...jobs.training.values(), ...jobs.processing.values()].find((job) => job.arn === arn),
    list: (kind) => [...jobs[kind].values()],
    add: (job) => {
      write(job);
      jobs[job.kind].set(job.name, job);
    },
    update,
    enter,
  };
};
