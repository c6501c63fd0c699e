import { configOf, type Resource, resourcesOf, synthesise } from './synth.ts';

const aws = configOf('example-four-accounts');
const stacks = () => synthesise(aws);

const statementsFor = (bucketPolicy: Resource): { Effect: string; Condition?: unknown }[] =>
  (bucketPolicy.Properties['PolicyDocument'] as { Statement: { Effect: string; Condition?: unknown }[] }).Statement;

describe('what the stacks keep', () => {
  it('has buckets that are private, versioned, encrypted and refuse anything but TLS', () => {
    const buckets = resourcesOf(stacks(), 'AWS::S3::Bucket');
    expect(buckets.length).toBeGreaterThanOrEqual(5);
    const policies = resourcesOf(stacks(), 'AWS::S3::BucketPolicy');
    for (const bucket of buckets) {
      expect(bucket.Properties['PublicAccessBlockConfiguration']).toEqual({
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      expect(bucket.Properties['VersioningConfiguration']).toEqual({ Status: 'Enabled' });
      expect(bucket.Properties['BucketEncryption']).toBeDefined();
      const policy = policies.find((p) => (p.Properties['Bucket'] as { Ref: string }).Ref === bucket.id);
      expect(statementsFor(policy as Resource)).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    }
  });

  it('has tables with point-in-time recovery', () => {
    const tables = resourcesOf(stacks(), 'AWS::DynamoDB::GlobalTable');
    expect(tables.length).toBeGreaterThanOrEqual(3);
    for (const table of tables)
      for (const replica of table.Properties['Replicas'] as Record<string, unknown>[])
        expect(replica['PointInTimeRecoverySpecification']).toEqual({ PointInTimeRecoveryEnabled: true });
  });

  it('locks evidence against everyone for the configured days', () => {
    const evidence = resourcesOf(stacks(), 'AWS::S3::Bucket').find((b) => b.Properties['ObjectLockEnabled'] === true);
    expect(evidence?.Properties['ObjectLockConfiguration']).toEqual({
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: aws.data.evidenceRetentionDays } },
    });
  });

  it('has a dead-letter queue behind every queue, with an alarm on its first message', () => {
    const queues = resourcesOf(stacks(), 'AWS::SQS::Queue');
    const dead = queues.filter((q) => String(q.Properties['QueueName']).endsWith('-dead'));
    const live = queues.filter((q) => !String(q.Properties['QueueName']).endsWith('-dead'));
    expect(live.length).toBeGreaterThanOrEqual(5);
    for (const queue of live) expect(queue.Properties['RedrivePolicy']).toMatchObject({ maxReceiveCount: 4 });
    const alarms = resourcesOf(stacks(), 'AWS::CloudWatch::Alarm').map((a) => a.Properties['AlarmName']);
    for (const queue of dead) expect(alarms).toContain(queue.Properties['QueueName']);
  });

  it('keeps data unless two switches say destroy', () => {
    const kinds = ['AWS::S3::Bucket', 'AWS::DynamoDB::GlobalTable', 'AWS::KMS::Key', 'AWS::Cognito::UserPool'];
    const policiesWith = (data: { destroy: boolean; confirmDestroy: string }) =>
      new Set(
        kinds.flatMap((kind) =>
          resourcesOf(synthesise({ ...aws, data: { ...aws.data, ...data } }), kind).map((r) => r.DeletionPolicy),
        ),
      );
    expect(policiesWith({ destroy: false, confirmDestroy: '' })).toEqual(new Set(['Retain']));
    expect(policiesWith({ destroy: true, confirmDestroy: '' })).toEqual(new Set(['Retain']));
    expect(policiesWith({ destroy: false, confirmDestroy: aws.stage })).toEqual(new Set(['Retain']));
    expect(policiesWith({ destroy: true, confirmDestroy: aws.stage })).toEqual(new Set(['Delete']));
  });

  it('lets only the ledger writer write the registry, by a policy of the table itself', () => {
    const registry = resourcesOf(stacks(), 'AWS::DynamoDB::GlobalTable').find((t) =>
      String(t.Properties['TableName']).endsWith('-registry'),
    );
    const [replica] = (registry as Resource).Properties['Replicas'] as {
      ResourcePolicy: {
        PolicyDocument: { Statement: { Sid: string; Effect: string; Action: string[]; Condition: unknown }[] };
      };
    }[];
    const deny = replica?.ResourcePolicy.PolicyDocument.Statement.find((s) => s.Sid === 'OnlyTheWriterWrites');
    expect(deny?.Effect).toBe('Deny');
    expect(deny?.Action).toEqual(
      expect.arrayContaining([
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:BatchWriteItem',
      ]),
    );
    expect(JSON.stringify(deny?.Condition)).toContain('ArnNotEquals');
  });

  it('runs every function with tracing, an own log group that ends, and a timeout', () => {
    const functions = resourcesOf(stacks(), 'AWS::Lambda::Function');
    for (const fn of functions) {
      expect(fn.Properties['Runtime']).toBe('nodejs24.x');
      expect(fn.Properties['TracingConfig']).toEqual({ Mode: 'Active' });
      expect(fn.Properties['LoggingConfig']).toBeDefined();
      expect(fn.Properties['Timeout']).toBeGreaterThan(0);
    }
    for (const group of resourcesOf(stacks(), 'AWS::Logs::LogGroup'))
      expect(group.Properties['RetentionInDays']).toBeGreaterThan(0);
  });

  it('asks people for a second factor and lets nobody sign up alone', () => {
    const [pool] = resourcesOf(stacks(), 'AWS::Cognito::UserPool');
    expect(pool?.Properties['MfaConfiguration']).toBe('ON');
    expect(pool?.Properties['AdminCreateUserConfig']).toEqual({ AllowAdminCreateUserOnly: true });
  });

  it('has a JWT authorizer on every route of the API', () => {
    const routes = resourcesOf(stacks(), 'AWS::ApiGatewayV2::Route');
    expect(routes.length).toBeGreaterThan(0);
    for (const route of routes) expect(route.Properties['AuthorizationType']).toBe('JWT');
  });
});
