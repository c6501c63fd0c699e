import { S3Client } from '@aws-sdk/client-s3';
import { readEnv } from '../shared/env.ts';
import { s3Files } from '../shared/object-files.ts';
import { s3Store } from '../shared/object-store.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const s3 = new S3Client({});

export const handler = makeHandler({
  lake: s3Store(s3, names.lakeBucket),
  files: s3Files(s3, names.lakeBucket),
  now: () => new Date().toISOString(),
  graceMs: Number(process.env['MILLWRIGHT_GRACE_MS']),
  workMs: 600_000,
});
