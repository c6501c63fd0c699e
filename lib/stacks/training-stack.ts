import { Duration, Validations } from 'aws-cdk-lib';
import { DockerImageAsset, Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { onlyInAws } from '../aspects/only-in-aws.ts';
import { grants } from '../constructs/grants.ts';
import { RecordEnd } from '../constructs/on-ended.ts';
import { StartOnEvent } from '../constructs/on-event.ts';
import { allow, arnsOf, PlatformFunction } from '../constructs/platform-function.ts';
import { PlatformHealth } from '../constructs/platform-health.ts';
import { retrainDefinition } from '../constructs/retrain-workflow/definition.ts';
import { SecureBucket } from '../constructs/secure-bucket.ts';
import { WorkQueue } from '../constructs/work-queue.ts';
import { Workflow } from '../constructs/workflow.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';

/** Name under which the local plant knows the trainer. */
export const LOCAL_TRAINING_IMAGE = 'local/millwright-training:dev';

/** Also decides how long a message of the digest queue is hidden. */
export const DRIFT_EVALUATOR_TIMEOUT = Duration.seconds(60);

/** ML plane: how a request becomes a signed candidate. */
export class TrainingStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Training', 'ml', 'Millwright: retrain workflow, training roles and image, package signing.', props);
    const { names, config } = this;
    const home = `${this.region}:${this.account}`;

    const work = new SecureBucket(this, 'Work', {
      bucketName: names.workBucket,
      removalPolicy: this.keep,
      lifecycleRules: [{ expiration: Duration.days(30), noncurrentVersionExpiration: Duration.days(1) }],
    });
    Validations.of(work).acknowledge({
      id: 'AwsSolutions::AwsSolutions-S1',
      reason: 'lists of names for one run of a workflow; the data they name is in the lake, which logs its reads',
    });

    // For the drift evaluator of Monitoring. Here, because the rule that sends is made between this stack and that one.
    new WorkQueue(this, 'DigestQueue', {
      queueName: names.digestQueue.name,
      consumerTimeout: DRIFT_EVALUATOR_TIMEOUT,
      sender: { account: config.planes.plant.account, roleArn: names.digestRuleRole.arn },
    });

    const signing = new Key(this, 'SigningKey', {
      alias: names.signingKeyAlias,
      description: 'Signs model packages; devices trust its public half.',
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: this.keep,
    });

    const job = (id: string, name: string, says: string, may: readonly PolicyStatement[]): Role => {
      const role = new Role(this, id, {
        roleName: name,
        assumedBy: new ServicePrincipal('sagemaker.amazonaws.com'),
        description: says,
      });
      for (const statement of may) role.addToPolicy(statement);
      role.addToPolicy(
        allow(
          ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
          [`arn:aws:logs:${home}:log-group:/aws/sagemaker/*`],
        ),
      );
      return role;
    };
    const learns = ['features/split=train/*', 'features/split=calibration/*'];
    const training = job(
      'TrainingRole',
      names.trainingRole.name,
      'Training jobs: train and calibration features only.',
      [
        ...grants.readLake(this, ...learns),
        grants.listLake(this, ...learns),
        ...grants.writeArtifacts(this, 'training/*'),
      ],
    );
    const processing = job(
      'ProcessingRole',
      names.processingRole.name,
      'Quantization: a model and calibration features.',
      [
        ...grants.readLake(this, 'features/split=calibration/*'),
        grants.listLake(this, 'features/split=calibration/*'),
        ...grants.readArtifacts(this, 'training/*'),
        grants.listArtifacts(this, 'training/*'),
        ...grants.writeArtifacts(this, 'candidates/*'),
      ],
    );
    const image = onlyInAws(this, 'training-image', () => {
      const asset = new DockerImageAsset(this, 'Image', {
        directory: 'training',
        platform: Platform.LINUX_AMD64,
        exclude: ['tests', '**/__pycache__'],
      });
      asset.repository.grantPull(training);
      asset.repository.grantPull(processing);
      return asset.imageUri;
    });

    const fn = (
      id: string,
      name: string,
      says: string,
      may: readonly PolicyStatement[],
      more: { timeout?: Duration; memoryMiB?: number; environment?: Record<string, string> } = {},
    ): PlatformFunction =>
      new PlatformFunction(this, id, { config, name, says, may, timeout: Duration.seconds(60), ...more });
    const latest = grants.readRegistry(this, 'latest');
    const latestAndLists = grants.readRegistry(this, 'latest', 'list');
    const ledger = grants.writeLedger(this);
    const executions = `arn:aws:states:${home}:execution:${names.retrain.name}:*`;
    const made = {
      'resolve-trigger': fn(
        'ResolveTrigger',
        'resolve-trigger',
        'Decides whether a request starts a retrain.',
        [...latestAndLists, ledger, allow(['states:DescribeExecution'], [executions])],
        { environment: { MILLWRIGHT_RETRAIN_POLICY: JSON.stringify(config.retrain) } },
      ),
      'snapshot-dataset': fn(
        'SnapshotDataset',
        'snapshot-dataset',
        'Freezes what a model may learn from.',
        [...latestAndLists, ledger, ...grants.writeLake(this, 'snapshots/*'), grants.writeWork(this)],
        { timeout: Duration.minutes(9), memoryMiB: 1024 },
      ),
      evaluate: fn(
        'Evaluate',
        'evaluate',
        'Errors of challenger and champion on sealed runs; the only reader of test features.',
        [
          ...grants.readLake(this, 'features/split=test/*', 'snapshots/*', 'raw/frames/*'),
          ...grants.readArtifacts(this, 'candidates/*', 'packages/*'),
          ...grants.writeArtifacts(this, 'evaluations/*'),
        ],
        { timeout: Duration.minutes(10), memoryMiB: 1536 },
      ),
      'evaluate-report': fn(
        'EvaluateReport',
        'evaluate-report',
        'Adds up the errors of all parts, with bounds.',
        [
          ...grants.readLake(this, 'snapshots/*'),
          grants.readWork(this),
          ...grants.readArtifacts(this, 'evaluations/*', 'packages/*'),
          ...grants.writeArtifacts(this, 'evaluations/*'),
        ],
        { timeout: Duration.minutes(2), memoryMiB: 512 },
      ),
      gate: fn('Gate', 'gate', 'Holds the evidence against the criteria.', [
        ...latest,
        ledger,
        ...grants.readArtifacts(this, 'evaluations/*'),
        ...grants.writeArtifacts(this, 'evaluations/*'),
      ]),
      'package-model': fn(
        'PackageModel',
        'package-model',
        'Makes and signs the package of a model.',
        [
          ...latest,
          ledger,
          ...grants.readArtifacts(this, 'candidates/*', 'evaluations/*'),
          ...grants.writeArtifacts(this, 'packages/*'),
          allow(['kms:Sign'], [signing.keyArn]),
        ],
        { timeout: Duration.minutes(2), memoryMiB: 512, environment: { MILLWRIGHT_SIGNING_KEY: signing.keyArn } },
      ),
      'register-model': fn('RegisterModel', 'register-model', 'Registers a model with its lineage and offers it.', [
        ledger,
        ...grants.readArtifacts(this, 'candidates/*', 'evaluations/*', 'packages/*'),
      ]),
      'record-retrain': fn('RecordRetrain', 'record-retrain', 'Records why a retrain made no candidate.', [ledger]),
    };
    const functions = { ...arnsOf(made), materialise: names.materialise.arn };

    const jobs = (kind: 'training' | 'processing'): string => `arn:aws:sagemaker:${home}:${kind}-job/${names.prefix}-*`;
    const machine = new Workflow(this, 'Retrain', {
      name: names.retrain.name,
      says: 'Retrain: a request becomes a signed candidate, or a recorded reason why not.',
      definition: retrainDefinition({
        functions,
        workBucket: names.workBucket,
        image: image ?? LOCAL_TRAINING_IMAGE,
        trainingRoleArn: names.trainingRole.arn,
        processingRoleArn: names.processingRole.arn,
        instanceType: config.training.instanceType,
        processingInstanceType: config.training.processingInstanceType,
      }),
      may: [
        allow(['lambda:InvokeFunction'], Object.values(functions)),
        allow(
          ['sagemaker:CreateTrainingJob', 'sagemaker:DescribeTrainingJob', 'sagemaker:StopTrainingJob'],
          [jobs('training')],
        ),
        allow(
          ['sagemaker:CreateProcessingJob', 'sagemaker:DescribeProcessingJob', 'sagemaker:StopProcessingJob'],
          [jobs('processing')],
        ),
        allow(['sagemaker:AddTags'], [jobs('training'), jobs('processing')]),
        allow(['iam:PassRole'], [names.trainingRole.arn, names.processingRole.arn], {
          StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' },
        }),
        // How Step Functions learns of a job's end.
        allow(
          ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
          [
            `arn:aws:events:${home}:rule/StepFunctionsGetEventsForSageMakerTrainingJobsRule`,
            `arn:aws:events:${home}:rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule`,
          ],
        ),
        // A Distributed Map runs each part as an execution of its own.
        allow(['states:StartExecution'], [names.retrain.arn]),
        allow(
          ['states:DescribeExecution', 'states:StopExecution'],
          [executions, `arn:aws:states:${home}:execution:${names.retrain.name}/*`],
        ),
        grants.readWork(this),
      ],
    });
    new RecordEnd(this, 'OnEnd', {
      stack: this,
      name: names.retrain.name,
      arn: names.retrain.arn,
      recorder: made['record-retrain'],
    });
    new PlatformHealth(this, {
      plane: 'ml',
      workflows: [{ arn: names.retrain.arn, allowed: Duration.hours(config.health.retrainHours) }],
    });
    new StartOnEvent(this, 'OnRequest', {
      stack: this,
      event: 'RetrainRequested',
      name: names.retrain.name,
      machine: machine.machine,
    });
  }
}
