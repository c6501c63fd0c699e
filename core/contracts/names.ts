import type { DeploymentConfig, PlaneName } from './deployment-config.ts';

/**
 * Physical names of everything that more than one stack, or a client, must find. Pure functions of the deployment
 * config, so that no stack exports a token to another and planes may live in different accounts.
 */
export const platformNames = (config: Pick<DeploymentConfig, 'stage' | 'planes'>) => {
  const p = `mw-${config.stage}`;
  const at = (plane: PlaneName) => config.planes[plane];
  const bucket = (plane: PlaneName, what: string) => `${p}-${what}-${at(plane).account}-${at(plane).region}`;
  const arn = (plane: PlaneName, service: string, resource: string) =>
    `arn:aws:${service}:${at(plane).region}:${at(plane).account}:${resource}`;
  const fn = (plane: PlaneName, name: string) => ({
    name: `${p}-${name}`,
    arn: arn(plane, 'lambda', `function:${p}-${name}`),
  });
  const machine = (plane: PlaneName, name: string) => ({
    name: `${p}-${name}`,
    arn: arn(plane, 'states', `stateMachine:${p}-${name}`),
  });
  const role = (plane: PlaneName, name: string) => ({
    name: `${p}-${name}`,
    arn: `arn:aws:iam::${at(plane).account}:role/${p}-${name}`,
  });
  const queue = (plane: PlaneName, name: string) => ({
    name: `${p}-${name}`,
    arn: arn(plane, 'sqs', `${p}-${name}`),
    url: `https://sqs.${at(plane).region}.amazonaws.com/${at(plane).account}/${p}-${name}`,
  });
  const table = (plane: PlaneName, name: string) => ({
    name: `${p}-${name}`,
    arn: arn(plane, 'dynamodb', `table/${p}-${name}`),
  });
  return {
    prefix: p,
    // Ledger (governance)
    bus: { name: `${p}-bus`, arn: arn('governance', 'events', `event-bus/${p}-bus`) },
    registry: table('governance', 'registry'),
    ledgerWriter: fn('governance', 'ledger-writer'),
    evidenceBucket: bucket('governance', 'evidence'),
    // Data
    dataKeyAlias: `alias/${p}-data`,
    lakeBucket: bucket('data', 'lake'),
    artifactsBucket: bucket('data', 'artifacts'),
    accessLogsBucket: bucket('data', 'logs'),
    glueDatabase: p.replaceAll('-', '_'),
    workgroup: p,
    // Ingest (data)
    /** Small messages of devices: digests, observations, findings of quality. */
    messageQueue: queue('data', 'batch-writer'),
    /** Uploads of frames, files of plant events, objects of decisions: who takes them, and replays them. */
    uploadQueue: queue('data', 'register-upload'),
    eventsQueue: queue('data', 'plant-events'),
    decisionsQueue: queue('data', 'record-decisions'),
    landingTable: table('data', 'landing'),
    quarantine: fn('data', 'quarantine'),
    compact: fn('data', 'compact'),
    plantEvents: fn('data', 'plant-events'),
    materialise: fn('data', 'materialise'),
    backfill: machine('data', 'backfill'),
    // Training (ml)
    retrain: machine('ml', 'retrain'),
    trainingRole: role('ml', 'training'),
    processingRole: role('ml', 'processing'),
    /** Feature digests of devices for the ML plane. Made before the plant's rule that sends them. */
    digestQueue: queue('ml', 'digests'),
    workBucket: bucket('ml', 'work'),
    signingKeyAlias: `alias/${p}-package-signing`,
    // Fleet (plant)
    release: machine('plant', 'release'),
    wave: machine('plant', 'wave'),
    deviceRole: role('plant', 'device'),
    devicePolicy: `${p}-device`,
    digestRuleRole: role('plant', 'digest-rule'),
    deviceRoleAlias: `${p}-device`,
    fleetTable: table('plant', 'fleet'),
    // Monitoring (ml)
    judgementTable: table('ml', 'judgement'),
    judging: machine('ml', 'judge-lines'),
    plantTopic: (site: string): string => `${p}-plant-${site}`,
    // In each account
    ownersTopic: `${p}-owners`,
    // Access
    userPool: `${p}-people`,
  } as const;
};
export type PlatformNames = ReturnType<typeof platformNames>;
