import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { dynamoJudgement } from '../shared/judgement-table.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { makeLogger } from '../shared/logger.ts';
import { s3Store } from '../shared/object-store.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names, stage } = readEnv();
const s3 = new S3Client({});
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export const handler = makeHandler({
  judgement: dynamoJudgement(db, names.judgementTable.name),
  registry: dynamoRegistry(db, names.registry.arn),
  artifacts: s3Store(s3, names.artifactsBucket),
  lake: s3Store(s3, names.lakeBucket),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  stage,
  log: makeLogger('drift-evaluator'),
  now: () => new Date().toISOString(),
});
