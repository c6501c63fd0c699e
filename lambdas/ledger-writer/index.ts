import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { announceOn } from '../shared/bus.ts';
import { readEnv } from '../shared/env.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const bus = new EventBridgeClient({});

export const handler = makeHandler({
  db: DynamoDBDocumentClient.from(new DynamoDBClient({}), { marshallOptions: { removeUndefinedValues: true } }),
  table: names.registry.name,
  now: () => new Date().toISOString(),
  announce: announceOn(bus, names.bus.arn),
  // Full jitter: writers that lost the same race must not meet again.
  backoff: (attempt) => sleep(Math.random() * Math.min(1000, 20 * 2 ** attempt)),
});
