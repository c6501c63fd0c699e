import { createHash, createHmac } from 'node:crypto';
import {
  DescribeThingCommand,
  DescribeThingGroupCommand,
  IoTClient,
  paginateListThingGroupsForThing,
  paginateListThingsInThingGroup,
} from '@aws-sdk/client-iot';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Artifacts, Things } from './ports.ts';

const CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };
const isNamed = (error: unknown, ...names: string[]): boolean => error instanceof Error && names.includes(error.name);

/** Query-string SigV4 (AWS "Authenticating requests: using query parameters"): no signing package of its own needed. */
const presignGet = (endpoint: string, region: string, bucket: string, key: string, now: Date): string => {
  const stamp = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${stamp.slice(0, 8)}/${region}/s3/aws4_request`;
  const encode = (s: string) =>
    encodeURIComponent(s).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const { host, protocol } = new URL(endpoint);
  const path = `/${bucket}/${key.split('/').map(encode).join('/')}`;
  const query = Object.entries({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${CREDENTIALS.accessKeyId}/${scope}`,
    'X-Amz-Date': stamp,
    'X-Amz-Expires': '3600',
    'X-Amz-SignedHeaders': 'host',
  })
    .map(([k, v]) => `${k}=${encode(v)}`)
    .join('&');
  const canonical = `GET\n${path}\n${query}\nhost:${host}\n\nhost\nUNSIGNED-PAYLOAD`;
  const hash = createHash('sha256').update(canonical).digest('hex');
  const hmac = (k: string | Buffer, data: string) => createHmac('sha256', k).update(data).digest();
  const signingKey = ['s3', 'aws4_request'].reduce(
    (k, part) => hmac(k, part),
    hmac(hmac(`AWS4${CREDENTIALS.secretAccessKey}`, stamp.slice(0, 8)), region),
  );
  const signature = hmac(signingKey, `AWS4-HMAC-SHA256\n${stamp}\n${scope}\n${hash}`).toString('hex');
  return `${protocol}//${host}${path}?${query}&X-Amz-Signature=${signature}`;
};

/** S3 and AWS IoT of the local AWS, with its root credentials, as the service itself would use them. */
export const awsAdapters = (awsUrl: string, region: string): { artifacts: Artifacts; things: Things } => {
  const client = { endpoint: awsUrl, region, credentials: CREDENTIALS };
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const iot = new IoTClient(client);
  const exists = async (ask: () => Promise<unknown>): Promise<boolean> => {
    try {
      await ask();
      return true;
    } catch (error) {
      if (isNamed(error, 'ResourceNotFoundException')) return false;
      throw error;
    }
  };
  return {
    artifacts: {
      sha256: async (bucket, key) => {
        try {
          const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
          const hash = createHash('sha256');
          for await (const chunk of Body as AsyncIterable<Uint8Array>) hash.update(chunk);
          return hash.digest('base64');
        } catch (error) {
          if (isNamed(error, 'NoSuchKey', 'NoSuchBucket', 'NotFound')) return null;
          throw error;
        }
      },
      presign: async (bucket, key) => presignGet(awsUrl, region, bucket, key, new Date()),
    },
    things: {
      thingExists: (thingName) => exists(() => iot.send(new DescribeThingCommand({ thingName }))),
      groupExists: (thingGroupName) => exists(() => iot.send(new DescribeThingGroupCommand({ thingGroupName }))),
      thingsInGroup: async (thingGroupName) => {
        const names: string[] = [];
        try {
          for await (const p of paginateListThingsInThingGroup({ client: iot }, { thingGroupName })) {
            names.push(...(p.things ?? []));
          }
        } catch (error) {
          if (!isNamed(error, 'ResourceNotFoundException')) throw error;
        }
        return names;
      },
      groupsOfThing: async (thingName) => {
        const names: string[] = [];
        try {
          for await (const p of paginateListThingGroupsForThing({ client: iot }, { thingName })) {
            names.push(...(p.thingGroups ?? []).map((g) => g.groupName ?? ''));
          }
        } catch (error) {
          if (!isNamed(error, 'ResourceNotFoundException')) throw error;
        }
        return names;
      },
    },
  };
};
