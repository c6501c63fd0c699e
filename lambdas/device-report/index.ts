import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { dynamoFleet } from '../shared/fleet-table.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { makeLogger } from '../shared/logger.ts';
import { makeHandler } from './handler.ts';

const { names, stage } = readEnv();

export const handler = makeHandler({
  table: dynamoFleet(DynamoDBDocumentClient.from(new DynamoDBClient({})), names.fleetTable.name),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  stage,
  log: makeLogger('device-report'),
});
