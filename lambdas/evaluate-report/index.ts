import { S3Client } from '@aws-sdk/client-s3';
import { readEnv } from '../shared/env.ts';
import { s3Store } from '../shared/object-store.ts';
import { makeHandler } from './handler.ts';

const { names } = readEnv();
const s3 = new S3Client({});

export const handler = makeHandler({
  lake: s3Store(s3, names.lakeBucket),
  work: s3Store(s3, names.workBucket),
  artifacts: s3Store(s3, names.artifactsBucket),
});
