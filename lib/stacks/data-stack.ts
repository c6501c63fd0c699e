import { Duration } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase } from 'aws-cdk-lib/aws-glue';
import { AccountPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { LAKE_TABLES } from '#core/contracts/lake-tables.ts';
import { onlyInAws } from '../aspects/only-in-aws.ts';
import { ProjectedTable } from '../constructs/projected-table.ts';
import { retentionRules } from '../constructs/retention-rules.ts';
import { SecureBucket } from '../constructs/secure-bucket.ts';
import { PlatformStack, type PlatformStackProps } from './platform-stack.ts';

/** Data plane: the lake, the artifacts, their key, and SQL over them. */
export class DataStack extends PlatformStack {
  constructor(scope: Construct, props: PlatformStackProps) {
    super(scope, 'Data', 'data', 'Millwright: data lake, artifacts, tables.', props);
    const { names } = this;
    const others = this.otherAccounts();

    const key = new Key(this, 'DataKey', {
      alias: names.dataKeyAlias,
      description: 'Encrypts the lake and the artifacts.',
      enableKeyRotation: true,
      removalPolicy: this.keep,
    });
    const logs = new SecureBucket(this, 'AccessLogs', {
      bucketName: names.accessLogsBucket,
      removalPolicy: this.keep,
      lifecycleRules: [{ expiration: Duration.days(400) }],
    });
    const lake = new SecureBucket(this, 'Lake', {
      bucketName: names.lakeBucket,
      removalPolicy: this.keep,
      key,
      logsTo: logs,
      events: true,
      lifecycleRules: [
        { prefix: 'athena-results/', expiration: Duration.days(7), noncurrentVersionExpiration: Duration.days(1) },
        { abortIncompleteMultipartUploadAfter: Duration.days(3) },
        ...retentionRules(this.config.data.retention),
      ],
    });
    const artifacts = new SecureBucket(this, 'Artifacts', {
      bucketName: names.artifactsBucket,
      removalPolicy: this.keep,
      key,
      logsTo: logs,
      lifecycleRules: [{ abortIncompleteMultipartUploadAfter: Duration.days(3) }],
    });
    if (others.length > 0)
      onlyInAws(this, 'cross-account-policy', () => {
        const principals = others.map((account) => new AccountPrincipal(account));
        // The account is named here; which role of it may do what is said by that role's own policy.
        for (const bucket of [lake, artifacts])
          bucket.addToResourcePolicy(
            new PolicyStatement({
              sid: 'Planes',
              principals,
              actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', 's3:ListBucket', 's3:GetBucketLocation'],
              resources: [bucket.bucketArn, bucket.arnForObjects('*')],
            }),
          );
        key.addToResourcePolicy(
          new PolicyStatement({
            sid: 'Planes',
            principals,
            actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
            resources: ['*'],
            conditions: {
              StringEquals: { 'kms:ViaService': `s3.${this.region}.amazonaws.com` },
              // By name, not by reference: each bucket refers to this key.
              StringLike: {
                'kms:EncryptionContext:aws:s3:arn': [names.lakeBucket, names.artifactsBucket].flatMap((name) => [
                  `arn:aws:s3:::${name}`,
                  `arn:aws:s3:::${name}/*`,
                ]),
              },
            },
          }),
        );
      });

    const database = new CfnDatabase(this, 'Database', {
      catalogId: this.account,
      databaseInput: { name: names.glueDatabase, description: 'Tables over the lake, partitions by projection.' },
    });
    const sites = this.config.sites.map((s) => s.id);
    for (const table of Object.values(LAKE_TABLES))
      new ProjectedTable(this, `${table.name.charAt(0).toUpperCase()}${table.name.slice(1)}`, {
        database,
        bucketName: names.lakeBucket,
        table,
        sites,
      });
    new CfnWorkGroup(this, 'Workgroup', {
      name: names.workgroup,
      description: 'SQL over the lake; results expire in a week.',
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: 100_000_000_000,
        resultConfiguration: {
          outputLocation: `s3://${names.lakeBucket}/athena-results/`,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: key.keyArn },
        },
      },
    });
  }
}
