import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { REGISTRY_CLASS_INDEX } from '#core/contracts/ledger.ts';
import type { PlatformStack } from '../stacks/platform-stack.ts';
import { allow } from './platform-function.ts';

type Of = Pick<PlatformStack, 'names' | 'config'>;

const objects = (bucket: string, prefixes: readonly string[]): string[] =>
  prefixes.map((p) => `arn:aws:s3:::${bucket}/${p}`);

/** The data key, named by its alias: its id is known only after it is made, perhaps in another account. */
const dataKey = ({ names, config }: Of, actions: readonly string[]): PolicyStatement =>
  allow(actions, [`arn:aws:kms:${config.planes.data.region}:${config.planes.data.account}:key/*`], {
    'ForAnyValue:StringEquals': { 'kms:ResourceAliases': names.dataKeyAlias },
  });

/** What each method of the registry's reader (core/ports/registry.ts) asks of the table. */
const REGISTRY_CALLS = {
  latest: { action: 'dynamodb:GetItem', at: '' },
  list: { action: 'dynamodb:Query', at: `/index/${REGISTRY_CLASS_INDEX}` },
  edges: { action: 'dynamodb:Query', at: '' },
} as const;

/** Statements for what the platform's roles do again and again; a prefix ends in `*`, buckets are never granted whole. */
export const grants = {
  readLake: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:GetObject', 's3:GetObjectVersion'], objects(of.names.lakeBucket, prefixes)),
    dataKey(of, ['kms:Decrypt']),
  ],
  writeLake: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:PutObject'], objects(of.names.lakeBucket, prefixes)),
    dataKey(of, ['kms:GenerateDataKey', 'kms:Decrypt']),
  ],
  listLake: (of: Of, ...prefixes: string[]): PolicyStatement =>
    allow(['s3:ListBucket'], [`arn:aws:s3:::${of.names.lakeBucket}`], { StringLike: { 's3:prefix': prefixes } }),
  readArtifacts: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:GetObject', 's3:GetObjectVersion'], objects(of.names.artifactsBucket, prefixes)),
    dataKey(of, ['kms:Decrypt']),
  ],
  writeArtifacts: (of: Of, ...prefixes: string[]): PolicyStatement[] => [
    allow(['s3:PutObject'], objects(of.names.artifactsBucket, prefixes)),
    dataKey(of, ['kms:GenerateDataKey', 'kms:Decrypt']),
  ],
  listArtifacts: (of: Of, ...prefixes: string[]): PolicyStatement =>
    allow(['s3:ListBucket'], [`arn:aws:s3:::${of.names.artifactsBucket}`], { StringLike: { 's3:prefix': prefixes } }),
  readWork: ({ names }: Of): PolicyStatement =>
    allow(['s3:GetObject', 's3:GetObjectVersion'], objects(names.workBucket, ['items/*'])),
  writeWork: ({ names }: Of): PolicyStatement => allow(['s3:PutObject'], objects(names.workBucket, ['items/*'])),
  writeLedger: ({ names }: Of): PolicyStatement => allow(['lambda:InvokeFunction'], [names.ledgerWriter.arn]),
  readRegistry: ({ names }: Of, ...calls: readonly (keyof typeof REGISTRY_CALLS)[]): PolicyStatement[] =>
    calls.map((call) => allow([REGISTRY_CALLS[call].action], [`${names.registry.arn}${REGISTRY_CALLS[call].at}`])),
  announce: ({ names }: Of): PolicyStatement => allow(['events:PutEvents'], [names.bus.arn]),
} as const;
