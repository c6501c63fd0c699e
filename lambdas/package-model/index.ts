import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { readEnv } from '../shared/env.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { s3Store } from '../shared/object-store.ts';
import { dynamoRegistry } from '../shared/registry-reader.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const { MILLWRIGHT_SIGNING_KEY: keyId } = parseAs(
  z.object({ MILLWRIGHT_SIGNING_KEY: z.string().min(1) }),
  process.env,
  'the environment of package-model',
);
const kms = new KMSClient({});

export const handler = makeHandler({
  registry: dynamoRegistry(DynamoDBDocumentClient.from(new DynamoDBClient({})), names.registry.arn),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  artifacts: s3Store(new S3Client({}), names.artifactsBucket),
  sign: async (message) => {
    const answer = await kms.send(
      new SignCommand({ KeyId: keyId, Message: message, MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    if (answer.Signature === undefined) throw new Error(`KMS gave no signature by ${keyId}`);
    // Devices trust a key by its id, the last part of its ARN.
    return { keyId: (answer.KeyId ?? keyId).split('/').at(-1) as string, signature: answer.Signature };
  },
});
