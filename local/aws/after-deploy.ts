import {
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  UpdateContinuousBackupsCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type LifecycleRule,
  type ObjectLockRetentionMode,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { LOCAL_CREDENTIALS } from './start-aws.ts';

/** What the templates say of a bucket and the local AWS does not take from them. */
export interface BucketSettings {
  readonly bucket: string;
  readonly objectLock?: { readonly mode: ObjectLockRetentionMode; readonly days: number };
  /** `aws:kms` with the key of the template, or S3's own. */
  readonly encryption?: 'AES256' | 'aws:kms';
  readonly expireAfterDays?: number;
}

/** What the templates say of a table and the local AWS does not take from them. */
export interface TableSettings {
  readonly table: string;
  readonly timeToLive?: string;
  readonly pointInTimeRecovery?: boolean;
}

/** Everything to set after a deployment. */
export interface DeclaredSettings {
  readonly buckets: readonly BucketSettings[];
  readonly tables: readonly TableSettings[];
}

/** A template that `settingsOf` cannot read. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** The part of a CloudFormation template that is read here. */
export interface Template {
  readonly Resources?: Readonly<
    Record<string, { readonly Type: string; readonly Properties?: Readonly<Record<string, unknown>> }>
  >;
}

/**
 * Collects from synthesised templates what the local AWS ignores in them.
 * @throws TemplateError when a bucket or table has no literal name; the platform names them all.
 */
export function settingsOf(templates: readonly Template[]): DeclaredSettings {
  const buckets: BucketSettings[] = [];
  const tables: TableSettings[] = [];
  for (const [id, resource] of templates.flatMap((template) => Object.entries(template.Resources ?? {}))) {
    const properties = resource.Properties ?? {};
    if (resource.Type === 'AWS::S3::Bucket') buckets.push(bucketSettings(id, properties));
    if (resource.Type === 'AWS::DynamoDB::Table' || resource.Type === 'AWS::DynamoDB::GlobalTable') {
      tables.push(tableSettings(id, properties));
    }
  }
  return { buckets, tables };
}

/** Sets by API what the local AWS ignores in templates. May be called after every deployment; what is set stays. */
export async function afterDeploy(url: string, settings: DeclaredSettings, region = 'us-east-1'): Promise<void> {
  const options = { endpoint: url, region, credentials: LOCAL_CREDENTIALS };
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  const dynamo = new DynamoDBClient(options);
  try {
    for (const bucket of settings.buckets) await setBucket(s3, bucket);
    for (const table of settings.tables) await setTable(dynamo, table);
  } finally {
    s3.destroy();
    dynamo.destroy();
  }
}

async function setBucket(s3: S3Client, settings: BucketSettings): Promise<void> {
  const Bucket = settings.bucket;
  if (settings.objectLock !== undefined) {
    await s3.send(
      new PutObjectLockConfigurationCommand({
        Bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: settings.objectLock.mode, Days: settings.objectLock.days } },
        },
      }),
    );
  }
  if (settings.encryption !== undefined) {
    await s3.send(
      new PutBucketEncryptionCommand({
        Bucket,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: settings.encryption } }],
        },
      }),
    );
  }
  if (settings.expireAfterDays !== undefined) {
    const rule: LifecycleRule = {
      ID: 'expire',
      Status: 'Enabled',
      Filter: { Prefix: '' },
      Expiration: { Days: settings.expireAfterDays },
    };
    await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: [rule] } }));
  }
}

async function setTable(dynamo: DynamoDBClient, settings: TableSettings): Promise<void> {
  const TableName = settings.table;
  if (settings.timeToLive !== undefined) {
    const now = await dynamo.send(new DescribeTimeToLiveCommand({ TableName }));
    // Turning on what is on is an error of the service.
    if (now.TimeToLiveDescription?.TimeToLiveStatus !== 'ENABLED') {
      await dynamo.send(
        new UpdateTimeToLiveCommand({
          TableName,
          TimeToLiveSpecification: { AttributeName: settings.timeToLive, Enabled: true },
        }),
      );
    }
  }
  if (settings.pointInTimeRecovery === true) {
    const now = await dynamo.send(new DescribeContinuousBackupsCommand({ TableName }));
    const status = now.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
    if (status !== 'ENABLED') {
      await dynamo.send(
        new UpdateContinuousBackupsCommand({
          TableName,
          PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        }),
      );
    }
  }
}

function bucketSettings(id: string, properties: Readonly<Record<string, unknown>>): BucketSettings {
  const retention = at(properties, 'ObjectLockConfiguration', 'Rule', 'DefaultRetention');
  const algorithm = at(
    properties,
    'BucketEncryption',
    'ServerSideEncryptionConfiguration',
    0,
    'ServerSideEncryptionByDefault',
    'SSEAlgorithm',
  );
  const expiry = at(properties, 'LifecycleConfiguration', 'Rules', 0, 'ExpirationInDays');
  const wholeBucket = at(properties, 'LifecycleConfiguration', 'Rules', 0, 'Prefix') === undefined;
  return {
    bucket: literalName(id, properties.BucketName, 'BucketName'),
    ...(retention === undefined
      ? {}
      : {
          objectLock: { mode: at(retention, 'Mode') as ObjectLockRetentionMode, days: Number(at(retention, 'Days')) },
        }),
    ...(algorithm === 'AES256' || algorithm === 'aws:kms' ? { encryption: algorithm } : {}),
    ...(typeof expiry === 'number' && wholeBucket ? { expireAfterDays: expiry } : {}),
  };
}

function tableSettings(id: string, properties: Readonly<Record<string, unknown>>): TableSettings {
  const attribute = at(properties, 'TimeToLiveSpecification', 'AttributeName');
  const recovery =
    at(properties, 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled') ??
    at(properties, 'Replicas', 0, 'PointInTimeRecoverySpecification', 'PointInTimeRecoveryEnabled');
  return {
    table: literalName(id, properties.TableName, 'TableName'),
    ...(typeof attribute === 'string' ? { timeToLive: attribute } : {}),
    ...(recovery === true ? { pointInTimeRecovery: true } : {}),
  };
}

function literalName(id: string, name: unknown, property: string): string {
  if (typeof name === 'string') return name;
  throw new TemplateError(`${id} has no literal ${property}; give it the physical name of core/contracts/names.ts.`);
}

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let here = value;
  for (const step of path) {
    if (typeof here !== 'object' || here === null) return undefined;
    here = (here as Record<string | number, unknown>)[step];
  }
  return here;
}
