import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { DeploymentConfig } from '#core/contracts/deployment-config.ts';
import { parseAs } from '#core/contracts/errors.ts';
import { readEnv } from '../shared/env.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const sfn = new SFNClient({});

export const handler = makeHandler({
  registry: dynamoRegistry(DynamoDBDocumentClient.from(new DynamoDBClient({})), names.registry.arn),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  prefix: names.prefix,
  policy: parseAs(
    DeploymentConfig.shape.retrain,
    JSON.parse(process.env['MILLWRIGHT_RETRAIN_POLICY'] ?? 'null'),
    'MILLWRIGHT_RETRAIN_POLICY',
  ),
  isRunning: async (executionArn) => {
    try {
      return (await sfn.send(new DescribeExecutionCommand({ executionArn }))).status === 'RUNNING';
    } catch (error) {
      if ((error as Error).name === 'ExecutionDoesNotExist') return false;
      throw error;
    }
  },
});
