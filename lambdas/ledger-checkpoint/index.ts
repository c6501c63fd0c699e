import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEnv } from '../shared/env.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const kms = new KMSClient({});
const s3 = new S3Client({});
const keyId = process.env['MILLWRIGHT_CHECKPOINT_KEY'] ?? '';

export const handler = makeHandler({
  db: DynamoDBDocumentClient.from(new DynamoDBClient({})),
  table: names.registry.name,
  now: () => new Date().toISOString(),
  sign: async (message) => {
    const answer = await kms.send(
      new SignCommand({ KeyId: keyId, Message: message, MessageType: 'RAW', SigningAlgorithm: 'ECDSA_SHA_256' }),
    );
    return { keyId: answer.KeyId ?? keyId, signature: answer.Signature ?? new Uint8Array() };
  },
  put: async (key, body) => {
    await s3.send(
      new PutObjectCommand({ Bucket: names.evidenceBucket, Key: key, Body: body, ContentType: 'application/json' }),
    );
  },
});
