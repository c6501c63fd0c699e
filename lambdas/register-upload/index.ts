import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { dynamoLanding } from '../shared/landing-table.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { makeLogger } from '../shared/logger.ts';
import { s3Store } from '../shared/object-store.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export const handler = makeHandler({
  lake: s3Store(new S3Client({}), names.lakeBucket),
  landing: dynamoLanding(db, names.landingTable.name),
  registry: dynamoRegistry(db, names.registry.arn),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  log: makeLogger('register-upload'),
  now: () => new Date().toISOString(),
  newBatch: () => randomUUID(),
  leaseMs: Number(process.env['MILLWRIGHT_LEASE_MS']),
});
