import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import {
  AttachPolicyCommand,
  AttachThingPrincipalCommand,
  CreateKeysAndCertificateCommand,
  CreatePolicyCommand,
  CreateThingCommand,
  IoTClient,
} from '@aws-sdk/client-iot';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { LOCAL_CREDENTIALS, type LocalAws, startAws } from '../../../../local/aws/start-aws.ts';
import { type Device, startCoreDevice } from '../../../../local/greengrass/core-device/start-core-device.ts';
import type { Nucleus } from '../../../../local/greengrass/ipc/start-ipc.ts';
import { freePort } from '../../../../local/shared/service.ts';

const REGION = 'us-east-1';
export const BUCKET = 'device-artifacts';

/** The local AWS with a bucket, a device role and one thing with its certificate. */
export interface Cloud {
  readonly aws: LocalAws;
  readonly folder: string;
  readonly clientOptions: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: typeof LOCAL_CREDENTIALS;
  };
  readonly certPaths: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Starts the thing as a core device whose disk is `root`. */
  startDevice(root: string, controlPlaneUrl: string, nucleus: Nucleus): Promise<Device>;
  /** Puts an object. @returns its s3:// address. */
  put(key: string, bytes: Uint8Array): Promise<string>;
  stop(): Promise<void>;
}

export const startCloud = async (thingName: string): Promise<Cloud> => {
  const folder = mkdtempSync(join(tmpdir(), 'mw-cloud-'));
  const aws = await startAws({ stateDir: folder, port: await freePort(), mqttPort: await freePort() });
  const clientOptions = { endpoint: aws.url, region: REGION, credentials: LOCAL_CREDENTIALS };
  const s3 = new S3Client({ ...clientOptions, forcePathStyle: true });
  const iam = new IAMClient(clientOptions);
  const iot = new IoTClient(clientOptions);
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  const allow = (Action: string | string[], rest: object): string =>
    JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, ...rest }] });
  const role = await iam.send(
    new CreateRoleCommand({
      RoleName: 'device',
      AssumeRolePolicyDocument: allow('sts:AssumeRole', { Principal: { AWS: 'arn:aws:iam::000000000000:root' } }),
    }),
  );
  await iam.send(
    new PutRolePolicyCommand({
      RoleName: 'device',
      PolicyName: 'artifacts',
      PolicyDocument: allow('s3:GetObject', { Resource: `arn:aws:s3:::${BUCKET}/allowed/*` }),
    }),
  );
  await iot.send(new CreateThingCommand({ thingName }));
  const cert = await iot.send(new CreateKeysAndCertificateCommand({ setAsActive: true }));
  await iot.send(new CreatePolicyCommand({ policyName: 'device', policyDocument: allow('iot:*', { Resource: '*' }) }));
  await iot.send(new AttachPolicyCommand({ policyName: 'device', target: cert.certificateArn }));
  await iot.send(new AttachThingPrincipalCommand({ thingName, principal: cert.certificateArn }));
  const certs = join(folder, 'certs');
  mkdirSync(certs);
  const certPaths = { cert: join(certs, 'cert.pem'), key: join(certs, 'key.pem'), ca: join(certs, 'ca.pem') };
  writeFileSync(certPaths.cert, cert.certificatePem ?? '');
  writeFileSync(certPaths.key, cert.keyPair?.PrivateKey ?? '', { mode: 0o600 });
  writeFileSync(certPaths.ca, await (await fetch(aws.mqttCaUrl)).text());
  return {
    aws,
    folder,
    clientOptions,
    certPaths,
    startDevice: (root, controlPlaneUrl, nucleus) =>
      startCoreDevice({
        thingName,
        root,
        controlPlaneUrl,
        awsUrl: aws.url,
        mqtt: `127.0.0.1:${aws.mqttPort}`,
        certPaths,
        nucleus,
        roleArn: role.Role?.Arn ?? '',
        region: REGION,
      }),
    put: async (key, bytes) => {
      await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: bytes }));
      return `s3://${BUCKET}/${key}`;
    },
    stop: async () => {
      for (const client of [s3, iam, iot]) client.destroy();
      await aws.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
