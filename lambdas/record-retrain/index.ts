import { LambdaClient } from '@aws-sdk/client-lambda';
import { readEnv } from '../shared/env.ts';
import { lambdaLedger } from '../shared/ledger-client.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();

export const handler = makeHandler({
  ledger: lambdaLedger(new LambdaClient({}), names.ledgerWriter.arn),
});
