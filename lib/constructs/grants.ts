import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { lakeKeys } from '#core/contracts/lake.ts';
import type { LandedTableName } from '#core/contracts/lake-tables.ts';
import { REGISTRY_CLASS_INDEX } from '#core/contracts/ledger.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { allow } from './platform-function.ts';

type Of = Pick<PlatformStack, 'names' | 'config'>;

const objects = (bucket: string, prefixes: readonly string[]): string[] =>
  prefixes.map((p) => `arn:aws:s3:::${bucket}/${p}`);

/**
 * The data key, through S3 and for the objects of one bucket. Its id is known only after it is made, perhaps in another
 * account, and conditions on aliases or tags are sure for keys of the caller's account only. What S3 says when it asks for
 * a data key is sure everywhere: the bucket where bucket keys are on, else the object.
 */
const dataKey = ({ config }: Of, bucket: string, actions: readonly string[]): PolicyStatement => {
  const { region, account } = config.planes.data;
  return allow(actions, [`arn:aws:kms:${region}:${account}:key/*`], {
    StringEquals: { 'kms:ViaService': `s3.${region}.amazonaws.com` },
    StringLike: { 'kms:EncryptionContext:aws:s3:arn': [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`] },
  });
};

/** What each method of the registry's reader (core/ports/registry.ts) asks of the table. */
const REGISTRY_CALLS = {
  latest: { action: 'dynamodb:GetItem', at: '' },
  list: { action: 'dynamodb:Query', at: `/index/${REGISTRY_CLASS_INDEX}` },
  edges: { action: 'dynamodb:Query', at: '' },
  versions: { action: 'dynamodb:Query', at: '' },
} as const;

/** Statements for what the platform's roles do again and again; a prefix ends in `*`, buckets are never granted whole. */
export const grants = {
  readLake: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:GetObject', 's3:GetObjectVersion'], objects(of.names.lakeBucket, prefixes)),
    dataKey(of, of.names.lakeBucket, ['kms:Decrypt']),
  ],
  writeLake: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:PutObject'], objects(of.names.lakeBucket, prefixes)),
    dataKey(of, of.names.lakeBucket, ['kms:GenerateDataKey', 'kms:Decrypt']),
  ],
  listLake: (of: Of, ...prefixes: string[]): PolicyStatement =>
    allow(['s3:ListBucket'], [`arn:aws:s3:::${of.names.lakeBucket}`], { StringLike: { 's3:prefix': prefixes } }),
  /**
   * What it takes to land rows in tables (lambdas/shared/landing.ts): their files, claims, and whether a day was put
   * together; with what else of the lake the function needs, so that a policy has each statement once.
   */
  land: (
    of: Of,
    tables: readonly LandedTableName[],
    { read, write = [], list = [] }: { read: readonly string[]; write?: readonly string[]; list?: readonly string[] },
  ): PolicyStatement[] => {
    const hot = tables.map((table) => `${lakeKeys.tierPrefix('hot', table)}*`);
    return [
      ...grants.readLake(of, ...read, 'compaction-plans/*'),
      ...grants.writeLake(of, ...hot, ...write),
      grants.listLake(of, ...hot, ...list, 'compaction-plans/*'),
      allow(['dynamodb:PutItem'], [of.names.landingTable.arn]),
    ];
  },
  /** Hides the newest version of objects; versions before stay until the lifecycle of the bucket ends them. */
  removeFromLake: (of: Of, ...prefixes: string[]): PolicyStatement =>
    allow(['s3:DeleteObject'], objects(of.names.lakeBucket, prefixes)),
  readArtifacts: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:GetObject', 's3:GetObjectVersion'], objects(of.names.artifactsBucket, prefixes)),
    dataKey(of, of.names.artifactsBucket, ['kms:Decrypt']),
  ],
  writeArtifacts: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:PutObject'], objects(of.names.artifactsBucket, prefixes)),
    dataKey(of, of.names.artifactsBucket, ['kms:GenerateDataKey', 'kms:Decrypt']),
  ],
  listArtifacts: (of: Of, ...prefixes: string[]): PolicyStatement =>
    allow(['s3:ListBucket'], [`arn:aws:s3:::${of.names.artifactsBucket}`], { StringLike: { 's3:prefix': prefixes } }),
  readWork: ({ names }: Of): PolicyStatement =>
    allow(['s3:GetObject', 's3:GetObjectVersion'], objects(names.workBucket, ['items/*'])),
  writeWork: ({ names }: Of): PolicyStatement => allow(['s3:PutObject'], objects(names.workBucket, ['items/*'])),
  writeLedger: ({ names }: Of): PolicyStatement => allow(['lambda:InvokeFunction'], [names.ledgerWriter.arn]),
  readRegistry: ({ names }: Of, ...calls: readonly (keyof typeof REGISTRY_CALLS)[]): PolicyStatement[] =>
    calls.map((call) => allow([REGISTRY_CALLS[call].action], [`${names.registry.arn}${REGISTRY_CALLS[call].at}`])),
} as const;
