import { EXECUTION, functionTask, jobTask, lastStates, type Machine, partsTask } from '../states.ts';

export interface RetrainDefinitionProps {
  readonly functions: Readonly<Record<RetrainFunction, string>>;
  /** Of the workflow's own account and region. */
  readonly workBucket: string;
  readonly image: string;
  readonly trainingRoleArn: string;
  readonly processingRoleArn: string;
  readonly instanceType: string;
  readonly processingInstanceType: string;
}

/** Functions of the workflow by folder of `lambdas/`; the values of `functions` are their ARNs. */
export type RetrainFunction =
  | 'resolve-trigger'
  | 'snapshot-dataset'
  | 'materialise'
  | 'evaluate'
  | 'evaluate-report'
  | 'gate'
  | 'package-model'
  | 'register-model'
  | 'record-retrain';

const RECORD = 'RecordFailure';

/**
 * Retrain: from a request (the detail of RetrainRequested) to a candidate, or to a recorded reason why not. States carry
 * answers of a few hundred bytes and names of objects, never data. The champion is touched by no state.
 */
export const retrainDefinition = (p: RetrainDefinitionProps): Machine => {
  const fn = p.functions;
  const step = (name: string) => ({ onFault: { step: name, next: RECORD } });
  const run = { 'run.$': '$.plan' };
  const snapshot = { 'snapshot.$': '$.snapshot' };
  return {
    Comment: 'Millwright retrain: a request becomes a signed candidate, or a recorded reason why not.',
    StartAt: 'ResolveTrigger',
    States: {
      ResolveTrigger: functionTask({
        says: 'Who asked and why; debounce, cooldown; no twin.',
        arn: fn['resolve-trigger'],
        payload: { execution: EXECUTION, 'request.$': '$' },
        into: '$.plan',
        timeoutSeconds: 120,
        ...step('ResolveTrigger'),
        onDuplicate: 'AlreadyAnswered',
        next: 'ShallItRun',
      }),
      ShallItRun: {
        Type: 'Choice',
        Choices: [{ Variable: '$.plan.go', BooleanEquals: true, Next: 'SnapshotDataset' }],
        Default: RECORD,
      },
      SnapshotDataset: functionTask({
        says: 'Freezes what may be learnt, by what was known when the execution started.',
        arn: fn['snapshot-dataset'],
        payload: run,
        into: '$.snapshot',
        timeoutSeconds: 600,
        ...step('SnapshotDataset'),
        next: 'Materialise',
      }),
      Materialise: partsTask({
        says: 'Features by the code that devices run.',
        bucket: p.workBucket,
        keyPath: '$.snapshot.itemsKey',
        step: 'Materialise',
        arn: fn.materialise,
        selector: null,
        timeoutSeconds: 660,
        ...step('Materialise'),
        next: 'Train',
      }),
      Train: jobTask({
        says: 'The trainer sees train and calibration features, nothing else.',
        resource: 'arn:aws:states:::sagemaker:createTrainingJob.sync',
        parameters: {
          'TrainingJobName.$': '$.plan.jobName',
          RoleArn: p.trainingRoleArn,
          AlgorithmSpecification: {
            TrainingImage: p.image,
            TrainingInputMode: 'File',
            MetricDefinitions: [
              { Name: 'train:rmse', Regex: 'train_rmse=([0-9.]+);' },
              { Name: 'calibration:rmse', Regex: 'calibration_rmse=([0-9.]+);' },
            ],
          },
          'HyperParameters.$': '$.snapshot.hyperparameters',
          InputDataConfig: [
            channel('train', '$.snapshot.trainUri'),
            channel('calibration', '$.snapshot.calibrationUri'),
          ],
          OutputDataConfig: { 'S3OutputPath.$': '$.snapshot.outputUri' },
          ResourceConfig: { InstanceCount: 1, InstanceType: p.instanceType, VolumeSizeInGB: 20 },
          StoppingCondition: { 'MaxRuntimeInSeconds.$': '$.snapshot.maxRuntimeSeconds' },
          EnableNetworkIsolation: true,
        },
        keep: { 'job.$': '$.TrainingJobName', 'model.$': '$.ModelArtifacts.S3ModelArtifacts' },
        into: '$.train',
        timeoutSeconds: 6 * 3600,
        ...step('Train'),
        next: 'Quantize',
      }),
      Quantize: jobTask({
        says: 'Static int8 by calibration rows; fp32 stays beside it.',
        resource: 'arn:aws:states:::sagemaker:createProcessingJob.sync',
        parameters: {
          'ProcessingJobName.$': '$.plan.jobName',
          RoleArn: p.processingRoleArn,
          AppSpecification: {
            ImageUri: p.image,
            ContainerEntrypoint: ['python3', '-m', 'millwright_training', 'quantize'],
          },
          ProcessingInputs: [input('model', '$.train.model'), input('calibration', '$.snapshot.calibrationUri')],
          ProcessingOutputConfig: {
            Outputs: [
              {
                OutputName: 'candidate',
                S3Output: {
                  'S3Uri.$': '$.snapshot.candidateUri',
                  LocalPath: '/opt/ml/processing/output',
                  S3UploadMode: 'EndOfJob',
                },
              },
            ],
          },
          ProcessingResources: {
            ClusterConfig: { InstanceCount: 1, InstanceType: p.processingInstanceType, VolumeSizeInGB: 20 },
          },
          StoppingCondition: { MaxRuntimeInSeconds: 3600 },
          NetworkConfig: { EnableNetworkIsolation: true },
        },
        keep: { 'job.$': '$.ProcessingJobName' },
        into: '$.quantize',
        timeoutSeconds: 2 * 3600,
        ...step('Quantize'),
        next: 'Evaluate',
      }),
      Evaluate: partsTask({
        says: 'Challenger and champion on the same sealed runs, by the engine of the devices.',
        bucket: p.workBucket,
        keyPath: '$.snapshot.testItemsKey',
        step: 'Evaluate',
        arn: fn.evaluate,
        selector: { ...run, ...snapshot, 'item.$': '$$.Map.Item.Value' },
        timeoutSeconds: 660,
        ...step('Evaluate'),
        next: 'Report',
      }),
      Report: functionTask({
        says: 'Errors of all parts with bounds.',
        arn: fn['evaluate-report'],
        payload: { ...run, ...snapshot, 'train.$': '$.train' },
        into: '$.report',
        timeoutSeconds: 180,
        ...step('Evaluate'),
        next: 'Gate',
      }),
      Gate: functionTask({
        says: 'Evidence against criteria that were fixed before the test.',
        arn: fn.gate,
        payload: { ...run, ...snapshot, 'report.$': '$.report' },
        into: '$.gate',
        timeoutSeconds: 120,
        ...step('Gate'),
        next: 'Package',
      }),
      Package: functionTask({
        says: 'One signed unit of everything that decides.',
        arn: fn['package-model'],
        payload: { ...run, ...snapshot, 'train.$': '$.train', 'report.$': '$.report', 'gate.$': '$.gate' },
        into: '$.package',
        timeoutSeconds: 180,
        ...step('Package'),
        next: 'Register',
      }),
      Register: functionTask({
        says: 'The model with its lineage; offers it for release.',
        arn: fn['register-model'],
        payload: {
          ...run,
          ...snapshot,
          'train.$': '$.train',
          'report.$': '$.report',
          'gate.$': '$.gate',
          'package.$': '$.package',
        },
        into: '$.registered',
        timeoutSeconds: 120,
        ...step('Register'),
        next: 'Candidate',
      }),
      Candidate: { Type: 'Succeed' },
      AlreadyAnswered: { Type: 'Succeed', Comment: 'The same request has its own execution.' },
      ...lastStates({
        record: RECORD,
        says: 'Records and announces why there is no candidate.',
        arn: fn['record-retrain'],
        timeoutSeconds: 120,
        ended: { state: 'NoCandidate', says: 'Skipped or refused: an answer, not a fault.' },
        failed: { error: 'RetrainFailed', cause: 'A step failed; the retrain record says which and why.' },
      }),
    },
  };
};

const channel = (name: string, uriPath: string) => ({
  ChannelName: name,
  DataSource: {
    S3DataSource: { S3DataType: 'S3Prefix', 'S3Uri.$': uriPath, S3DataDistributionType: 'FullyReplicated' },
  },
});

const input = (name: string, uriPath: string) => ({
  InputName: name,
  S3Input: {
    'S3Uri.$': uriPath,
    LocalPath: `/opt/ml/processing/input/${name}`,
    S3DataType: 'S3Prefix',
    S3InputMode: 'File',
    S3DataDistributionType: 'FullyReplicated',
    S3CompressionType: 'None',
  },
});
