import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { dynamoLanding } from '../shared/landing-table.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { s3Files } from '../shared/object-files.ts';
import { s3Store } from '../shared/object-store.ts';
import { sqsQueues } from '../shared/queues.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names, stage } = readEnv();
const s3 = new S3Client({});
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export const handler = makeHandler({
  lake: s3Store(s3, names.lakeBucket),
  files: s3Files(s3, names.lakeBucket),
  landing: dynamoLanding(db, names.landingTable.name),
  registry: dynamoRegistry(db, names.registry.arn),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  queues: sqsQueues(new SQSClient({})),
  queueUrls: {
    frames: names.uploadQueue.url,
    events: names.eventsQueue.url,
    decisions: names.decisionsQueue.url,
  },
  lakeBucket: names.lakeBucket,
  stage,
  now: () => new Date().toISOString(),
  newBatch: () => randomUUID(),
  leaseMs: Number(process.env['MILLWRIGHT_LEASE_MS']),
  workMs: 240_000,
});
