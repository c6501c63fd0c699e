import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();

export const handler = makeHandler({
  registry: dynamoRegistry(DynamoDBDocumentClient.from(new DynamoDBClient({})), names.registry.arn),
});
