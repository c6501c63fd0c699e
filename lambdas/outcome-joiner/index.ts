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

const { names } = readEnv();

export const handler = makeHandler({
  lake: s3Store(new S3Client({}), names.lakeBucket),
  registry: dynamoRegistry(DynamoDBDocumentClient.from(new DynamoDBClient({})), names.registry.arn),
  judgement: dynamoJudgement(DynamoDBDocumentClient.from(new DynamoDBClient({})), names.judgementTable.name),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  log: makeLogger('outcome-joiner'),
});
