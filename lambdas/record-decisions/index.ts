import { LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { readEnv } from '../shared/env.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { makeLogger } from '../shared/logger.ts';
import { s3Store } from '../shared/object-store.ts';
import { makeHandler } from './handler.ts';

const { names, stage } = readEnv();

export const handler = makeHandler({
  lake: s3Store(new S3Client({}), names.lakeBucket),
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
  stage,
  log: makeLogger('record-decisions'),
});
