import type { RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { onlyInAws } from '../aspects/only-in-aws.ts';

export interface SecureBucketProps {
  readonly bucketName: string;
  readonly removalPolicy: RemovalPolicy;
  readonly key?: IKey;
  readonly logsTo?: Bucket;
  readonly lifecycleRules?: LifecycleRule[];
  readonly events?: boolean;
  readonly objectLock?: boolean;
}

/** A bucket that is private, versioned, encrypted, TLS-only and logged. */
export class SecureBucket extends Bucket {
  constructor(scope: Construct, id: string, props: SecureBucketProps) {
    super(scope, id, {
      bucketName: props.bucketName,
      removalPolicy: props.removalPolicy,
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: onlyInAws(scope, 'tls-only-bucket-policy', () => true) ?? false,
      ...(props.key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey: props.key, bucketKeyEnabled: true }),
      ...(props.logsTo === undefined
        ? {}
        : { serverAccessLogsBucket: props.logsTo, serverAccessLogsPrefix: `${props.bucketName}/` }),
      ...(props.lifecycleRules === undefined ? {} : { lifecycleRules: props.lifecycleRules }),
      ...(props.objectLock === true ? { objectLockEnabled: true } : {}),
    });
    // The L2 property adds a Python custom resource; the L1 says the same in the bucket itself.
    if (props.events === true)
      (this.node.defaultChild as CfnBucket).addPropertyOverride(
        'NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled',
        true,
      );
  }
}
