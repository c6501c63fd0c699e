import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { dynamoFleet } from '../shared/fleet-table.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export const handler = makeHandler({
  registry: dynamoRegistry(db, names.registry.arn),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  table: dynamoFleet(db, names.fleetTable.name),
  now: () => new Date().toISOString(),
});
