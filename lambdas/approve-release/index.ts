import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { parseAs } from '#core/contracts/errors.ts';
import { readEnv } from '../shared/env.ts';
import { dynamoFleet } from '../shared/fleet-table.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { s3Store } from '../shared/object-store.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler, Sites } from './handler.ts';

const { names, stage } = readEnv();
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } });
const sfn = new SFNClient({});

export const handler = makeHandler({
  registry: dynamoRegistry(db, names.registry.arn),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  artifacts: s3Store(new S3Client({}), names.artifactsBucket),
  fleet: dynamoFleet(db, names.fleetTable.name),
  stage,
  sites: parseAs(Sites, JSON.parse(process.env['MILLWRIGHT_SITES'] ?? 'null'), 'MILLWRIGHT_SITES'),
  isRunning: async (executionArn) => {
    try {
      return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status === 'RUNNING';
    } catch (error) {
      if (['ExecutionDoesNotExist', 'InvalidArn'].includes((error as Error).name)) return false;
      throw error;
    }
  },
});
