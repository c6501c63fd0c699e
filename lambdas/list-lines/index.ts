import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { s3Store } from '../shared/object-store.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();

export const handler = makeHandler({
  registry: dynamoRegistry(DynamoDBDocumentClient.from(new DynamoDBClient({})), names.registry.arn),
  work: s3Store(new S3Client({}), names.workBucket),
});
