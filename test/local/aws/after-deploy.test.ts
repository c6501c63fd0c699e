import {
  CreateTableCommand,
  DescribeContinuousBackupsCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterDeploy, settingsOf } from '../../../local/aws/after-deploy.ts';
import type { LocalAws } from '../../../local/aws/start-aws.ts';
import { client, startForTest, stateFolder } from './local-aws.ts';

jest.setTimeout(120_000);

const folder = stateFolder();
let aws: LocalAws;

beforeAll(async () => {
  aws = await startForTest(folder.dir);
});

afterAll(async () => {
  await aws?.stop();
  folder.remove();
});

const template = {
  Resources: {
    Evidence: {
      Type: 'AWS::S3::Bucket',
      Properties: {
        BucketName: 'evidence',
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
        },
        LifecycleConfiguration: { Rules: [{ ExpirationInDays: 400, Status: 'Enabled' }] },
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 30 } },
        },
      },
    },
    Judgement: {
      Type: 'AWS::DynamoDB::GlobalTable',
      Properties: {
        TableName: 'judgement',
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        Replicas: [{ PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
      },
    },
    Role: { Type: 'AWS::IAM::Role', Properties: {} },
  },
};

test('the settings that the local AWS ignores are read from the template', () => {
  expect(settingsOf([template])).toEqual({
    buckets: [
      { bucket: 'evidence', encryption: 'AES256', expireAfterDays: 400, objectLock: { mode: 'COMPLIANCE', days: 30 } },
    ],
    tables: [{ table: 'judgement', timeToLive: 'expiresAt', pointInTimeRecovery: true }],
  });
});

test('a rule for a part of a bucket is not made one for the whole', () => {
  const part = {
    Resources: {
      Lake: {
        Type: 'AWS::S3::Bucket',
        Properties: {
          BucketName: 'lake',
          LifecycleConfiguration: { Rules: [{ Prefix: 'tmp/', ExpirationInDays: 1, Status: 'Enabled' }] },
        },
      },
    },
  };
  expect(settingsOf([part]).buckets).toEqual([{ bucket: 'lake' }]);
});

test('a bucket without a literal name is refused', () => {
  const nameless = { Resources: { Lake: { Type: 'AWS::S3::Bucket', Properties: { BucketName: { Ref: 'X' } } } } };
  expect(() => settingsOf([nameless])).toThrow('Lake has no literal BucketName');
});

test('the settings are in force afterwards, also when set twice', async () => {
  const s3 = new S3Client({ ...client(aws.url), forcePathStyle: true });
  const dynamo = new DynamoDBClient(client(aws.url));
  await s3.send(new CreateBucketCommand({ Bucket: 'evidence' }));
  await s3.send(new PutBucketVersioningCommand({ Bucket: 'evidence', VersioningConfiguration: { Status: 'Enabled' } }));
  await dynamo.send(
    new CreateTableCommand({
      TableName: 'judgement',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
    }),
  );
  await afterDeploy(aws.url, settingsOf([template]));
  await afterDeploy(aws.url, settingsOf([template]));

  const put = await s3.send(new PutObjectCommand({ Bucket: 'evidence', Key: 'head', Body: 'x' }));
  await expect(
    s3.send(new DeleteObjectCommand({ Bucket: 'evidence', Key: 'head', VersionId: put.VersionId })),
  ).rejects.toThrow(/Access ?Denied/i);
  const encryption = await s3.send(new GetBucketEncryptionCommand({ Bucket: 'evidence' }));
  expect(
    encryption.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
  ).toBe('AES256');
  const lifecycle = await s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: 'evidence' }));
  expect(lifecycle.Rules?.[0]?.Expiration?.Days).toBe(400);
  const ttl = await dynamo.send(new DescribeTimeToLiveCommand({ TableName: 'judgement' }));
  expect(ttl.TimeToLiveDescription).toMatchObject({ TimeToLiveStatus: 'ENABLED', AttributeName: 'expiresAt' });
  const backups = await dynamo.send(new DescribeContinuousBackupsCommand({ TableName: 'judgement' }));
  expect(backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus).toBe(
    'ENABLED',
  );
});
