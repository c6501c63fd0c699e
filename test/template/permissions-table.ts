import type { RolePermissions, Roles } from './permissions.ts';

/*
 * What every role of the platform may do, by account (governance, data, ml, plant). Read it as the answer to "what could
 * happen if this one were taken over"; a change here is a change of that answer and is reviewed as such.
 * `lake`, `artifacts`, `work` and `evidence` are the buckets; names are without the prefix of their stage.
 */

const REGISTRY = 'on governance table/registry';
/** The key that opens objects of a bucket, through S3 only. */
const keyOf = (places: readonly string[], actions: string): string[] =>
  [...new Set(places.map((place) => place.split('/')[0]))].map(
    (bucket) =>
      `kms:${actions} on data key/* if kms:ViaService StringEquals s3.eu-central-1.amazonaws.com and kms:EncryptionContext:aws:s3:arn StringLike ${bucket} or ${bucket}/*`,
  );

const LEDGER = 'lambda:InvokeFunction on governance function:ledger-writer';
const LATEST = `dynamodb:GetItem ${REGISTRY}`;
const LISTS = `dynamodb:Query ${REGISTRY}/index/byClass`;
const EDGES = `dynamodb:Query ${REGISTRY}`;

/** Objects read, and the key that opens them. */
const reads = (...places: string[]): string[] => [
  ...places.map((place) => `s3:GetObject GetObjectVersion on ${place}`),
  ...keyOf(places, 'Decrypt'),
];
const writes = (...places: string[]): string[] => [
  ...places.map((place) => `s3:PutObject on ${place}`),
  ...keyOf(places, 'GenerateDataKey Decrypt'),
];

/** Names of objects of one bucket. */
const lists = (...places: string[]): string =>
  `s3:ListBucket on ${places[0]?.split('/')[0]} if s3:prefix StringLike ${places.map((p) => p.replace(/^[^/]+\//, '')).join(' or ')}`;
/** Where rows land: the day's small files of tables with tiers. */
const HOT = ['telemetry', 'curated/observations', 'curated/quality'].map((prefix) => `lake/${prefix}/tier=hot/*`);
const COLD = HOT.map((place) => place.replace('tier=hot', 'tier=cold'));

/** What a workflow works through: no key of its own. */
const READS_ITEMS = 's3:GetObject GetObjectVersion on work/items/*';

type Plane = 'governance' | 'data' | 'ml' | 'plant';

const lambda = (plane: Plane, name: string, may: readonly string[]): Roles => ({
  [name]: {
    assumedBy: ['lambda.amazonaws.com'],
    may: [
      ...may,
      `logs:CreateLogStream PutLogEvents on ${plane} log-group:/aws/lambda/${name}`,
      'xray:PutTraceSegments PutTelemetryRecords on *',
    ],
  },
});

/** Puts metrics of the platform's own health: no other namespace. */
const MEASURES = 'cloudwatch:PutMetricData on * if cloudwatch:namespace StringEquals mw-{stage}/health';

const takesFrom = (queue: string): string =>
  `sqs:ReceiveMessage ChangeMessageVisibility GetQueueUrl DeleteMessage GetQueueAttributes on ${queue}`;
const sendsTo = (queue: string): string => `sqs:SendMessage GetQueueAttributes GetQueueUrl on ${queue}`;

const stateMachine = (may: readonly string[]): RolePermissions => ({
  assumedBy: ['states.amazonaws.com'],
  may: [
    ...may,
    'logs:CreateLogDelivery GetLogDelivery UpdateLogDelivery DeleteLogDelivery ListLogDeliveries PutResourcePolicy DescribeResourcePolicies DescribeLogGroups on *',
    'xray:PutTraceSegments PutTelemetryRecords GetSamplingRules GetSamplingTargets on *',
  ],
});
const calls = (plane: Plane, ...functions: string[]): string[] =>
  functions.map((name) => `lambda:InvokeFunction on ${plane} function:${name}`);
/** The rule by which Step Functions learns that what it started has ended. */
const waits = (plane: Plane, rule: string): string =>
  `events:PutTargets PutRule DescribeRule on ${plane} rule/StepFunctionsGetEventsFor${rule}Rule`;

const job = (may: readonly string[]): RolePermissions => ({
  assumedBy: ['sagemaker.amazonaws.com'],
  may: [
    ...may,
    'ecr:BatchCheckLayerAvailability GetDownloadUrlForLayer BatchGetImage on ml repository/images-of-cdk',
    'ecr:GetAuthorizationToken on *',
    'logs:CreateLogGroup CreateLogStream PutLogEvents DescribeLogStreams on ml log-group:/aws/sagemaker/*',
  ],
});

const topicRule = (...queues: string[]): RolePermissions => ({
  assumedBy: ['iot.amazonaws.com'],
  may: queues.map(sendsTo),
});
const eventRule = (may: string): RolePermissions => ({ assumedBy: ['events.amazonaws.com'], may: [may] });

const RING_GROUPS = 'plant thinggroup/{stage}-*';
const OWN_THING = `\${credentials-iot:ThingName}`;
const THINGS = 'plant thing/{stage}-*';
const JOBS = 'plant job/*';
/** Greengrass asks AWS IoT in the name of whoever asks Greengrass. */
const LOOKS = [
  `iot:DescribeThingGroup on ${RING_GROUPS}`,
  `iot:DescribeThing GetThingShadow on ${THINGS}`,
  `iot:DescribeJob on ${JOBS}`,
];
const FOLLOWS_DEVICES = [
  `iot:ListThingsInThingGroup on ${RING_GROUPS}`,
  'greengrass:ListEffectiveDeployments on plant coreDevices:{stage}-*',
  `iot:DescribeJobExecution on ${JOBS}`,
  `iot:DescribeJobExecution on ${THINGS}`,
];
const DEPLOYS = [
  'greengrass:CreateDeployment on *',
  'greengrass:TagResource on plant deployments:*',
  `iot:CreateJob on ${RING_GROUPS}`,
  `iot:CreateJob CancelJob UpdateJob on ${JOBS}`,
  ...LOOKS,
];

/** Frames with what the registry has of them, and rows that are there. */
const STORES = [
  ...reads('lake/raw/frames/*', 'lake/features/store/*'),
  lists('lake/raw/frames/*', 'lake/features/store/*'),
  LATEST,
  EDGES,
];

export const PERMISSIONS: Roles = {
  // Governance. Nobody else writes the registry or puts evidence.
  ...lambda('governance', 'ledger-writer', [
    `dynamodb:GetItem PutItem ${REGISTRY}`,
    'events:PutEvents on governance event-bus/bus',
  ]),
  ...lambda('governance', 'ledger-checkpoint', [
    LISTS,
    'kms:Sign on governance key of alias/checkpoint',
    's3:PutObject on evidence/checkpoints/*',
  ]),
  ...lambda('governance', 'platform-health-governance', [
    MEASURES,
    's3:ListBucket on evidence if s3:prefix StringLike checkpoints/*',
  ]),
  ...lambda('governance', 'query', [LISTS, EDGES]),
  RelayTo222222222222EventsRole: eventRule('events:PutEvents on data event-bus/bus'),
  RelayTo333333333333EventsRole: eventRule('events:PutEvents on ml event-bus/bus'),
  RelayTo444444444444EventsRole: eventRule('events:PutEvents on plant event-bus/bus'),

  // Data: how things come in.
  ...lambda('data', 'register-upload', [
    ...reads('lake/raw/frames/*', 'lake/compaction-plans/*'),
    ...writes('lake/curated/quality/tier=hot/*', 'lake/quarantine/*'),
    lists('lake/curated/quality/tier=hot/*', 'lake/compaction-plans/*'),
    'dynamodb:PutItem on data table/landing',
    LATEST,
    LISTS,
    LEDGER,
    takesFrom('data register-upload'),
  ]),
  ...lambda('data', 'record-decisions', [
    ...reads('lake/inbox/decisions/*'),
    ...writes('lake/decisions/*', 'lake/quarantine/*'),
    LEDGER,
    takesFrom('data record-decisions'),
  ]),
  ...lambda('data', 'plant-events', [
    ...reads('lake/inbox/events/*'),
    ...writes('lake/raw/events/*', 'lake/quarantine/*'),
    LATEST,
    LEDGER,
    takesFrom('data plant-events'),
  ]),
  ...lambda('data', 'batch-writer', [
    ...reads('lake/raw/observations/*', 'lake/compaction-plans/*'),
    ...writes(...HOT, 'lake/quarantine/*'),
    lists(...HOT, 'lake/quarantine/*', 'lake/compaction-plans/*'),
    'dynamodb:PutItem on data table/landing',
    LISTS,
    LEDGER,
    takesFrom('data batch-writer'),
    takesFrom('data take-observations'),
  ]),
  ...lambda('data', 'quarantine', [
    ...reads('lake/quarantine/*', 'lake/raw/observations/*', 'lake/raw/frames/*', 'lake/compaction-plans/*'),
    ...writes(...HOT),
    lists(...HOT, 'lake/quarantine/*', 'lake/compaction-plans/*'),
    'dynamodb:PutItem on data table/landing',
    LATEST,
    LISTS,
    LEDGER,
    ...['register-upload', 'plant-events', 'record-decisions'].map((queue) => `sqs:SendMessage on data ${queue}`),
  ]),
  // Removes what it has put together, and nothing else is removed by any role.
  ...lambda('data', 'compact', [
    ...reads(...HOT, ...COLD, 'lake/compaction-plans/*'),
    ...writes(...COLD, 'lake/compactions/*', 'lake/compaction-plans/*'),
    lists(...HOT, ...COLD, 'lake/compaction-plans/*'),
    ...HOT.map((place) => `s3:DeleteObject on ${place}`),
  ]),
  ...lambda('data', 'materialise', [
    ...reads('lake/raw/frames/*', 'lake/snapshots/*'),
    ...writes('lake/features/*'),
    LATEST,
  ]),

  // Data: the offline store. Whoever writes rows reads frames and nothing of plant events, so no label.
  ...lambda('data', 'store-features', [
    ...STORES,
    ...writes('lake/features/store/*'),
    LISTS,
    takesFrom('data store-features'),
  ]),
  ...lambda('data', 'list-backfill', [
    LATEST,
    EDGES,
    LEDGER,
    lists('lake/raw/frames/*'),
    ...writes('lake/backfills/*'),
  ]),
  ...lambda('data', 'backfill-part', [...STORES, ...writes('lake/features/store/*', 'lake/backfills/*')]),
  ...lambda('data', 'record-backfill', [LATEST, LEDGER, ...reads('lake/backfills/*'), lists('lake/backfills/*')]),
  backfill: stateMachine([
    ...calls('data', 'list-backfill', 'backfill-part', 'record-backfill'),
    ...reads('lake/backfills/*'),
    'states:StartExecution on data stateMachine:backfill',
    'states:DescribeExecution StopExecution on data execution:backfill:*',
    'states:DescribeExecution StopExecution on data execution:backfill/*',
  ]),
  FeatureStoreBackfillMachineEventsRole: eventRule('states:StartExecution on data stateMachine:backfill'),

  // ML: how a request becomes a candidate. Only `evaluate` opens the sealed features; no job does.
  ...lambda('ml', 'resolve-trigger', [LATEST, LISTS, LEDGER, 'states:DescribeExecution on ml execution:retrain:*']),
  ...lambda('ml', 'snapshot-dataset', [
    LATEST,
    LISTS,
    LEDGER,
    ...writes('lake/snapshots/*'),
    's3:PutObject on work/items/*',
  ]),
  training: job([
    ...reads('lake/features/split=train/*', 'lake/features/split=calibration/*'),
    's3:ListBucket on lake if s3:prefix StringLike features/split=train/* or features/split=calibration/*',
    ...writes('artifacts/training/*'),
  ]),
  processing: job([
    ...reads('lake/features/split=calibration/*', 'artifacts/training/*'),
    's3:ListBucket on lake if s3:prefix StringLike features/split=calibration/*',
    's3:ListBucket on artifacts if s3:prefix StringLike training/*',
    ...writes('artifacts/candidates/*'),
  ]),
  ...lambda('ml', 'evaluate', [
    ...reads('lake/features/split=test/*', 'lake/snapshots/*', 'lake/raw/frames/*'),
    ...reads('artifacts/candidates/*', 'artifacts/packages/*'),
    ...writes('artifacts/evaluations/*'),
  ]),
  ...lambda('ml', 'evaluate-report', [
    ...reads('lake/snapshots/*', 'artifacts/evaluations/*', 'artifacts/packages/*'),
    READS_ITEMS,
    ...writes('artifacts/evaluations/*'),
  ]),
  ...lambda('ml', 'gate', [LATEST, LEDGER, ...reads('artifacts/evaluations/*'), ...writes('artifacts/evaluations/*')]),
  ...lambda('ml', 'package-model', [
    LATEST,
    LEDGER,
    ...reads('artifacts/candidates/*', 'artifacts/evaluations/*'),
    ...writes('artifacts/packages/*'),
    'kms:Sign on ml key of alias/package-signing',
  ]),
  ...lambda('ml', 'register-model', [
    LEDGER,
    ...reads('artifacts/candidates/*', 'artifacts/evaluations/*', 'artifacts/packages/*'),
  ]),
  ...lambda('ml', 'record-retrain', [LEDGER]),
  retrain: stateMachine([
    ...calls('ml', 'resolve-trigger', 'snapshot-dataset', 'evaluate', 'evaluate-report'),
    ...calls('ml', 'gate', 'package-model', 'register-model', 'record-retrain'),
    ...calls('data', 'materialise'),
    READS_ITEMS,
    'sagemaker:CreateTrainingJob DescribeTrainingJob StopTrainingJob AddTags on ml training-job/mw-{stage}-*',
    'sagemaker:CreateProcessingJob DescribeProcessingJob StopProcessingJob AddTags on ml processing-job/mw-{stage}-*',
    'iam:PassRole on ml role/training if iam:PassedToService StringEquals sagemaker.amazonaws.com',
    'iam:PassRole on ml role/processing if iam:PassedToService StringEquals sagemaker.amazonaws.com',
    waits('ml', 'SageMakerTrainingJobs'),
    waits('ml', 'SageMakerProcessingJobs'),
    'states:StartExecution on ml stateMachine:retrain',
    'states:DescribeExecution StopExecution on ml execution:retrain:*',
    'states:DescribeExecution StopExecution on ml execution:retrain/*',
  ]),
  RetrainMachineEventsRole: eventRule('states:StartExecution on ml stateMachine:retrain'),

  // ML: judging what runs.
  ...lambda('ml', 'drift-evaluator', [
    'dynamodb:GetItem PutItem Query on ml table/judgement',
    ...reads('artifacts/packages/*', 'lake/drift/windows/*', 'lake/drift/parts/*'),
    ...writes('lake/drift/windows/*', 'lake/drift/parts/*', 'lake/drift/evidence/*', 'lake/drift/lines/*'),
    lists('lake/drift/windows/*', 'lake/drift/parts/*'),
    LATEST,
    LISTS,
    LEDGER,
    takesFrom('ml digests'),
  ]),
  ...lambda('ml', 'outcome-joiner', [
    ...reads('lake/decisions/*'),
    ...writes('lake/drift/lines/*'),
    LATEST,
    LISTS,
    'dynamodb:GetItem PutItem Query on ml table/judgement',
    LEDGER,
    takesFrom('ml outcome-joiner'),
  ]),

  ...lambda('ml', 'list-lines', [LISTS, 's3:PutObject on work/items/lines/*']),
  ...lambda('ml', 'judge-line', [
    'dynamodb:GetItem PutItem Query on ml table/judgement',
    LATEST,
    LISTS,
    LEDGER,
    ...writes('lake/drift/lines/*'),
    MEASURES,
  ]),
  'judge-lines': stateMachine([
    ...calls('ml', 'list-lines', 'judge-line'),
    READS_ITEMS,
    'states:StartExecution on ml stateMachine:judge-lines',
    'states:DescribeExecution StopExecution on ml execution:judge-lines:*',
    'states:DescribeExecution StopExecution on ml execution:judge-lines/*',
  ]),
  LineJudgingMachineEventsRole: eventRule('states:StartExecution on ml stateMachine:judge-lines'),

  ...lambda('ml', 'platform-health-ml', [MEASURES, 'states:ListExecutions on ml stateMachine:retrain']),
  ...lambda('ml', 'raise-alerts', [...reads('lake/inbox/decisions/*'), LATEST, LEDGER, takesFrom('ml raise-alerts')]),

  // Plant: devices and what reaches them. A device gets no table, no queue and no object but its own kinds.
  device: {
    assumedBy: ['credentials.iot.amazonaws.com'],
    may: [
      ...writes(
        `lake/raw/frames/site=plant-a/*/${OWN_THING}/*`,
        `lake/raw/observations/site=plant-a/${OWN_THING}/*`,
        `lake/inbox/decisions/${OWN_THING}/*`,
      ),
      ...reads('artifacts/components/*', 'artifacts/packages/*'),
      's3:GetBucketLocation on artifacts',
    ],
  },
  ...lambda('plant', 'device-report', [
    LEDGER,
    'dynamodb:GetItem PutItem on plant table/fleet',
    takesFrom('plant device-report'),
  ]),
  'digest-rule': {
    assumedBy: ['iot.amazonaws.com'],
    may: ['data batch-writer', 'ml digests', 'plant digest-rule-dead'].map((queue) => `sqs:SendMessage on ${queue}`),
  },
  'report-rule': topicRule('plant device-report', 'plant device-report-dead'),
  ...lambda('plant', 'platform-health-plant', [
    MEASURES,
    'dynamodb:Scan on plant table/fleet',
    'states:ListExecutions on plant stateMachine:release',
    'states:ListExecutions on plant stateMachine:wave',
  ]),
  ...lambda('plant', 'approve-release', [
    LATEST,
    LISTS,
    LEDGER,
    ...reads('artifacts/packages/*'),
    'dynamodb:PutItem on plant table/fleet',
    'states:DescribeExecution on plant execution:release:*',
  ]),
  ...lambda('plant', 'publish-component', [
    ...reads('artifacts/packages/*'),
    'greengrass:CreateComponentVersion GetComponent TagResource on plant components:millwright.model.*',
  ]),
  ...lambda('plant', 'deploy-ring', [
    LEDGER,
    'dynamodb:GetItem PutItem on plant table/fleet',
    'greengrass:ListDeployments on *',
    'greengrass:GetDeployment on plant deployments:*',
    `iot:ListThingsInThingGroup on ${RING_GROUPS}`,
    ...DEPLOYS,
  ]),
  ...lambda('plant', 'observe-ring', ['dynamodb:GetItem PutItem on plant table/fleet', ...FOLLOWS_DEVICES, ...LOOKS]),
  ...lambda('plant', 'revert-release', [
    LEDGER,
    'dynamodb:GetItem PutItem Query on plant table/fleet',
    ...FOLLOWS_DEVICES,
    ...DEPLOYS,
  ]),
  ...lambda('plant', 'record-release', [LATEST, LEDGER, 'dynamodb:Query on plant table/fleet']),
  release: stateMachine([
    ...calls('plant', 'approve-release', 'publish-component', 'revert-release', 'record-release'),
    'states:StartExecution on plant stateMachine:wave',
    'states:DescribeExecution StopExecution on plant execution:wave:*',
    waits('plant', 'StepFunctionsExecution'),
  ]),
  wave: stateMachine(calls('plant', 'deploy-ring', 'observe-ring')),
  ReleaseMachineEventsRole: eventRule('states:StartExecution on plant stateMachine:release'),
};

const SELF = `\${iot:Connection.Thing.ThingName}`;
const OWN_TOPICS = `millwright/{stage}/\${iot:Connection.Thing.Attributes[site]}/\${iot:Connection.Thing.Attributes[device]}`;
/** What a Greengrass nucleus speaks of, to AWS IoT, about itself. */
const NUCLEUS_TOPICS = [
  `$aws/things/${SELF}/greengrass/health/json`,
  `$aws/things/${SELF}/greengrassv2/health/json`,
  `$aws/things/${SELF}/jobs/*`,
  `$aws/things/${SELF}/shadow/*`,
];

/** What a device may do by its certificate; what it may do with the rest of AWS is the role `device`. */
export const CERTIFICATE: readonly string[] = [
  // Further connections of one nucleus end in #2 and so on.
  `iot:Connect on plant client/${SELF}`,
  `iot:Connect on plant client/${SELF}#*`,
  ...['report', 'digest', 'observations', 'quality'].map(
    (topic) => `iot:Publish on plant topic/${OWN_TOPICS}/${topic}`,
  ),
  ...NUCLEUS_TOPICS.flatMap((topic) => [
    `iot:Publish Receive on plant topic/${topic}`,
    `iot:Subscribe on plant topicfilter/${topic}`,
  ]),
  'iot:AssumeRoleWithCertificate on plant rolealias/device',
  'greengrass:GetComponentVersionArtifact ResolveComponentCandidates GetDeploymentConfiguration ListThingGroupsForCoreDevice on *',
];
