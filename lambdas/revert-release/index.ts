import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import { IoTClient } from '@aws-sdk/client-iot';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { dynamoFleet } from '../shared/fleet-table.ts';
import { awsFleet } from '../shared/greengrass.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { makeHandler } from './handler.ts';

const { names, planes, stage } = readEnv();
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });

export const handler = makeHandler({
  fleet: awsFleet(new GreengrassV2Client({}), new IoTClient({}), `${planes.plant.region}:${planes.plant.account}`),
  table: dynamoFleet(db, names.fleetTable.name),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  stage,
  now: () => new Date().toISOString(),
});
