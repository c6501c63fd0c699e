import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { healthNamespace } from '#core/contracts/health.ts';
import { readEnv } from '../shared/env.ts';
import { dynamoJudgement } from '../shared/judgement-table.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { s3Store } from '../shared/object-store.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const cloudwatch = new CloudWatchClient({});

export const handler = makeHandler({
  judgement: dynamoJudgement(db, names.judgementTable.name),
  registry: dynamoRegistry(db, names.registry.arn),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  lake: s3Store(new S3Client({}), names.lakeBucket),
  putMetric: async (MetricName, Value) => {
    await cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: healthNamespace(names.prefix),
        MetricData: [{ MetricName, Value, Dimensions: [{ Name: 'Plane', Value: 'ml' }] }],
      }),
    );
  },
});
