import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { parseAs } from '#core/contracts/errors.ts';
import { HealthWatch, healthNamespace } from '#core/contracts/health.ts';
import { readEnv } from '../shared/env.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();

export const handler = makeHandler({
  watch: parseAs(HealthWatch, JSON.parse(process.env['MILLWRIGHT_WATCH'] ?? 'null'), 'MILLWRIGHT_WATCH'),
  namespace: healthNamespace(names.prefix),
  cloudwatch: new CloudWatchClient({}),
  sfn: new SFNClient({}),
  db: DynamoDBDocumentClient.from(new DynamoDBClient({})),
  table: names.fleetTable.name,
  s3: new S3Client({}),
  evidence: { Bucket: names.evidenceBucket },
  now: () => new Date().toISOString(),
});
