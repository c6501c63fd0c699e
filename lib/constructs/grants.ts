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
  writeLedger: ({ names }: Of): PolicyStatement => allow(['lambda:InvokeFunction'], [names.ledgerWriter.arn]),
  readRegistry: ({ names }: Of): PolicyStatement =>
    allow(
      ['dynamodb:GetItem', 'dynamodb:Query'],
      [names.registry.arn, `${names.registry.arn}/index/${REGISTRY_CLASS_INDEX}`],
    ),
  announce: ({ names }: Of): PolicyStatement => allow(['events:PutEvents'], [names.bus.arn]),
} as const;
