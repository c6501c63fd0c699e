import { GreengrassV2Client } from '@aws-sdk/client-greengrassv2';
import { IoTClient } from '@aws-sdk/client-iot';
import { S3Client } from '@aws-sdk/client-s3';
import { readEnv } from '../shared/env.ts';
import { awsFleet } from '../shared/greengrass.ts';
import { s3Store } from '../shared/object-store.ts';
import { makeHandler } from './handler.ts';

const { names, planes } = readEnv();

export const handler = makeHandler({
  artifacts: s3Store(new S3Client({}), names.artifactsBucket),
  fleet: awsFleet(new GreengrassV2Client({}), new IoTClient({}), `${planes.plant.region}:${planes.plant.account}`),
});
