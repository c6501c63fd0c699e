/**
 * Errors of the services between Step Functions and a function, a function's process that was killed under it (every
 * step may be repeated), and `TryAgain` of our own: all may work when tried again.
 */
export const TRANSIENT = [
  'TryAgain',
  'Runtime.ExitError',
  'Lambda.Unknown',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
  'Lambda.ClientExecutionTimeoutException',
  'ThrottlingException',
  'TooManyRequestsException',
  'RequestThrottled',
  'ServiceUnavailable',
  'SlowDown',
  'InternalError',
  'TimeoutError',
  'ProvisionedThroughputExceededException',
] as const;

/** A Retry rule: errors by name, first wait in seconds, tries; waits double, each of random length. */
export const again = (errors: readonly string[], seconds: number, attempts: number) => ({
  ErrorEquals: [...errors],
  IntervalSeconds: seconds,
  MaxAttempts: attempts,
  BackoffRate: 2,
  JitterStrategy: 'FULL',
});

export type State = Readonly<Record<string, unknown>>;
export interface Machine {
  readonly Comment: string;
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface FunctionTask {
  readonly says: string;
  readonly arn: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Where the answer goes; null drops it. */
  readonly into: string | null;
  readonly next?: string;
  readonly timeoutSeconds: number;
  /** Where a fault goes, kept under `$.failed.<step>`. */
  readonly onFault?: { readonly step: string; readonly next: string };
  /** Where a request that was answered before goes. */
  readonly onDuplicate?: string;
}

const ahead = (next: string | undefined): State => (next === undefined ? { End: true } : { Next: next });

/** Keeps what went wrong under the step's own name, so that the recording step knows where it was. */
export const catchAll = (fault: FunctionTask['onFault'], onDuplicate?: string): State => {
  const rules = [
    ...(onDuplicate === undefined ? [] : [{ ErrorEquals: ['Duplicate'], ResultPath: null, Next: onDuplicate }]),
    ...(fault === undefined
      ? []
      : [{ ErrorEquals: ['States.ALL'], ResultPath: `$.failed.${fault.step}`, Next: fault.next }]),
  ];
  return rules.length === 0 ? {} : { Catch: rules };
};

/** A function called with a payload; transient faults are tried again, refusals are not. */
export const functionTask = (o: FunctionTask): State => ({
  Type: 'Task',
  Comment: o.says,
  Resource: o.arn,
  Parameters: o.payload,
  ResultPath: o.into,
  TimeoutSeconds: o.timeoutSeconds,
  Retry: [again(TRANSIENT, 2, 4)],
  ...catchAll(o.onFault, o.onDuplicate),
  ...ahead(o.next),
});

export interface JobTask {
  readonly says: string;
  readonly resource: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly keep: Readonly<Record<string, string>> | null;
  readonly into: string | null;
  readonly next: string;
  readonly timeoutSeconds: number;
  readonly onFault: { readonly step: string; readonly next: string };
}

/** A SageMaker job, waited for. Only a call that did not reach the service is repeated: a job's name is used once. */
export const jobTask = (o: JobTask): State => ({
  Type: 'Task',
  Comment: o.says,
  Resource: o.resource,
  Parameters: o.parameters,
  ...(o.keep === null ? {} : { ResultSelector: o.keep }),
  ResultPath: o.into,
  TimeoutSeconds: o.timeoutSeconds,
  Retry: [again(['SageMaker.ThrottlingException', 'SageMaker.SdkClientException', 'ThrottlingException'], 10, 5)],
  ...catchAll(o.onFault),
  Next: o.next,
});

export interface PartsTask {
  readonly says: string;
  readonly bucket: string;
  /** JSONPath of the key of a JSON Lines object, one item a line. */
  readonly keyPath: string;
  readonly step: string;
  readonly arn: string;
  /** What each part's function gets; the item is `$$.Map.Item.Value`. */
  readonly selector: Readonly<Record<string, unknown>> | null;
  readonly next: string;
  readonly timeoutSeconds: number;
  /** Share of parts that may fail and the step does not; 0 unless said. */
  readonly toleratedPercentage?: number;
  readonly onFault: { readonly step: string; readonly next: string };
}

/** A function over every line of an object in S3, side by side: Distributed Map. More failed parts than are tolerated fail the step. */
export const partsTask = (o: PartsTask): State => ({
  Type: 'Map',
  Comment: o.says,
  ItemReader: {
    Resource: 'arn:aws:states:::s3:getObject',
    ReaderConfig: { InputType: 'JSONL' },
    Parameters: { Bucket: o.bucket, 'Key.$': o.keyPath },
  },
  ...(o.selector === null ? {} : { ItemSelector: o.selector }),
  MaxConcurrency: 40,
  ToleratedFailurePercentage: o.toleratedPercentage ?? 0,
  Label: o.step,
  ItemProcessor: {
    ProcessorConfig: { Mode: 'DISTRIBUTED', ExecutionType: 'STANDARD' },
    StartAt: `${o.step}Part`,
    States: {
      [`${o.step}Part`]: {
        Type: 'Task',
        Resource: o.arn,
        TimeoutSeconds: o.timeoutSeconds,
        Retry: [again([...TRANSIENT, 'States.Timeout'], 2, 4)],
        // Results of all parts come back together: each says only how much it was.
        ResultSelector: { 'part.$': '$.part', 'rows.$': '$.rows' },
        End: true,
      },
    },
  },
  ResultPath: null,
  ...catchAll(o.onFault),
  Next: o.next,
});

/** The execution's own name, id and start, for steps that repeat safely on them. */
export const EXECUTION = {
  'id.$': '$$.Execution.Id',
  'name.$': '$$.Execution.Name',
  'startedAt.$': '$$.Execution.StartTime',
} as const;

export interface LastStates {
  /** Name of the recording state: every way through the workflow, also that of a fault, leads to it. */
  readonly record: string;
  readonly says: string;
  /** A function of `lambdas/record-*`: takes the whole state and answers `status`. */
  readonly arn: string;
  readonly timeoutSeconds: number;
  /** Where everything ends that is an answer, refusals too. */
  readonly ended: { readonly state: string; readonly says: string };
  readonly failed: { readonly error: string; readonly cause: string };
}

/** How a workflow ends: its outcome is recorded, and only a recorded failure fails the execution. */
export const lastStates = (o: LastStates): Machine['States'] => ({
  [o.record]: functionTask({
    says: o.says,
    arn: o.arn,
    payload: { execution: EXECUTION, 'state.$': '$' },
    into: '$.recorded',
    timeoutSeconds: o.timeoutSeconds,
    next: 'HowItEnded',
  }),
  HowItEnded: {
    Type: 'Choice',
    Choices: [{ Variable: '$.recorded.status', StringEquals: 'failed', Next: 'Failed' }],
    Default: o.ended.state,
  },
  [o.ended.state]: { Type: 'Succeed', Comment: o.ended.says },
  Failed: { Type: 'Fail', Error: o.failed.error, Cause: o.failed.cause },
});
