import { again, catchAll, EXECUTION, functionTask, lastStates, type Machine, TRANSIENT } from '../states.ts';

/** Functions of both machines by folder of `lambdas/`; the values are their ARNs. */
export type ReleaseFunction =
  | 'approve-release'
  | 'publish-component'
  | 'deploy-ring'
  | 'observe-ring'
  | 'revert-release'
  | 'record-release';
type Functions = Readonly<Record<ReleaseFunction, string>>;

/** A person has a week to answer; after that the release is refused and may be asked for again. */
const APPROVAL_SECONDS = 7 * 86_400;
/** Longer than any wave may take by its own policy. */
const WAVE_SECONDS = 30 * 86_400;

const RECORD = 'Record';
const plan = { 'plan.$': '$.prepared.plan' };

/**
 * Release: brings a package to the rings of a site, one after another; a ring that says no reverts every ring that was
 * changed. Starts on ReleaseCandidate, or by hand with the same input (another site, a re-release, a revert).
 */
export const releaseDefinition = (fn: Functions, waveMachineArn: string): Machine => {
  const step = (name: string, next = RECORD) => ({ onFault: { step: name, next } });
  return {
    Comment: 'Millwright release: a package reaches the devices ring by ring, or goes back.',
    StartAt: 'Prepare',
    States: {
      Prepare: functionTask({
        says: 'Is the package what the request says, and may it go there?',
        arn: fn['approve-release'],
        payload: { op: 'prepare', execution: EXECUTION, 'request.$': '$' },
        into: '$.prepared',
        timeoutSeconds: 90,
        ...step('Approve'),
        onDuplicate: 'AlreadyAnswered',
        next: 'WhoApproves',
      }),
      WhoApproves: {
        Type: 'Choice',
        Choices: [{ Variable: '$.prepared.riskClass', StringEquals: 'automatic', Next: 'ApprovedByPolicy' }],
        Default: 'AskPerson',
      },
      ApprovedByPolicy: { Type: 'Pass', InputPath: '$.prepared.approval', ResultPath: '$.approval', Next: 'Publish' },
      AskPerson: {
        Type: 'Task',
        Comment: 'Waits for a person who did not ask for it.',
        Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
        Parameters: {
          FunctionName: fn['approve-release'],
          Payload: { op: 'ask', ...plan, 'token.$': '$$.Task.Token' },
        },
        ResultPath: '$.approval',
        TimeoutSeconds: APPROVAL_SECONDS,
        Retry: [again(TRANSIENT, 2, 4)],
        ...catchAll({ step: 'Approve', next: RECORD }),
        Next: 'Accept',
      },
      Accept: functionTask({
        says: 'Nobody approves their own.',
        arn: fn['approve-release'],
        payload: { op: 'accept', ...plan, 'approval.$': '$.approval' },
        into: '$.approval',
        timeoutSeconds: 90,
        ...step('Approve'),
        next: 'Publish',
      }),
      Publish: functionTask({
        says: 'The weights component, reused when the bytes are the same.',
        arn: fn['publish-component'],
        payload: plan,
        into: '$.published',
        timeoutSeconds: 90,
        ...step('Publish'),
        next: 'Rings',
      }),
      Rings: {
        Type: 'Map',
        Comment: 'One ring at a time, bench devices first. What each ring said is in the fleet table.',
        ItemsPath: '$.prepared.plan.rings',
        ItemSelector: { ...plan, 'ring.$': '$$.Map.Item.Value' },
        MaxConcurrency: 1,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Wave',
          States: {
            Wave: {
              Type: 'Task',
              Resource: 'arn:aws:states:::states:startExecution.sync:2',
              Parameters: {
                StateMachineArn: waveMachineArn,
                Input: {
                  'plan.$': '$.plan',
                  'ring.$': '$.ring',
                  'AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID.$': '$$.Execution.Id',
                },
              },
              ResultSelector: { 'verdict.$': '$.Output.verdict', 'reasons.$': '$.Output.reasons' },
              TimeoutSeconds: WAVE_SECONDS,
              // Only a wave that could not be started: one that ran says itself what to do.
              Retry: [again(['StepFunctions.ThrottlingException', 'StepFunctions.SdkClientException'], 2, 4)],
              Next: 'GoOn',
            },
            GoOn: {
              Type: 'Choice',
              Choices: [{ Variable: '$.verdict', StringEquals: 'revert', Next: 'SaysNo' }],
              Default: 'RingDone',
            },
            SaysNo: {
              Type: 'Fail',
              Error: 'WaveReverted',
              Cause: 'A ring said no; the release record says which and why.',
            },
            RingDone: { Type: 'Succeed' },
          },
        },
        ResultPath: null,
        ...catchAll({ step: 'Rings', next: 'Revert' }),
        Next: RECORD,
      },
      Revert: functionTask({
        says: 'Every ring that was changed goes back to what it had.',
        arn: fn['revert-release'],
        payload: { op: 'revert', ...plan },
        into: '$.reverted',
        timeoutSeconds: 600,
        ...step('Revert'),
        next: 'LookBack',
      }),
      LookBack: functionTask({
        says: 'Have the devices confirmed that they are as before? Bounded by the rollout policy.',
        arn: fn['revert-release'],
        payload: { op: 'look', ...plan },
        into: '$.back',
        timeoutSeconds: 600,
        ...step('LookBack'),
        next: 'AreBack',
      }),
      AreBack: {
        Type: 'Choice',
        Choices: [{ Variable: '$.back.verdict', StringEquals: 'wait', Next: 'PauseBack' }],
        Default: RECORD,
      },
      PauseBack: { Type: 'Wait', SecondsPath: '$.prepared.plan.pollSeconds', Next: 'LookBack' },
      ...lastStates({
        record: RECORD,
        says: 'What ran where, on whose word; the champion, if released.',
        arn: fn['record-release'],
        timeoutSeconds: 120,
        ended: { state: 'Ended', says: 'Released, reverted or refused: the record says which.' },
        failed: { error: 'ReleaseFailed', cause: 'A step failed; the release record says which and why.' },
      }),
      AlreadyAnswered: { Type: 'Succeed', Comment: 'The same release has its own execution.' },
    },
  };
};

/** Wave: one ring of a release; changes it, then looks at it until it is plain how it goes. */
export const waveDefinition = (fn: Functions): Machine => {
  const ring = { 'plan.$': '$.plan', 'ring.$': '$.ring' };
  return {
    Comment: 'Millwright wave: one ring of a release.',
    StartAt: 'Deploy',
    States: {
      Deploy: functionTask({
        says: 'The current deployment with the weights component placed; everything else kept.',
        arn: fn['deploy-ring'],
        payload: ring,
        into: '$.deployment',
        timeoutSeconds: 120,
        next: 'Observe',
      }),
      Observe: functionTask({
        says: 'What devices report and what Greengrass says, held against the rollout policy.',
        arn: fn['observe-ring'],
        payload: { ...ring, 'deployment.$': '$.deployment' },
        into: '$.seen',
        timeoutSeconds: 180,
        next: 'Verdict',
      }),
      Verdict: {
        Type: 'Choice',
        Choices: [{ Variable: '$.seen.verdict', StringEquals: 'wait', Next: 'Pause' }],
        Default: 'Done',
      },
      Pause: { Type: 'Wait', SecondsPath: '$.plan.pollSeconds', Next: 'Observe' },
      Done: { Type: 'Pass', InputPath: '$.seen', End: true },
    },
  };
};
