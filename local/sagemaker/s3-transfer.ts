import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, relative, resolve, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { GetObjectCommand, PutObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts';
import { filesBelow } from './tar.ts';

export type Credentials = {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
};

/** The platform side of the stand-in, which in AWS is SageMaker itself: root of the local AWS. */
export const PLATFORM_CREDENTIALS: Credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Where input came from could not be read, or output not be written. The message is SageMaker's FailureReason. */
export class TransferError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TransferError';
  }
}

export type S3Uri = { readonly bucket: string; readonly key: string };

/** @throws {TransferError} when the text is not `s3://bucket[/key]`. */
export const parseS3Uri = (uri: string): S3Uri => {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/s.exec(uri);
  if (match === null) throw new TransferError(`ClientError: ${uri} is not an S3 URI; expected s3://bucket/key`);
  return { bucket: match[1] ?? '', key: match[2] ?? '' };
};

/** Credentials of a role, taken anew by the SDK before they expire. */
export const roleCredentials = (awsUrl: string, region: string, roleArn: string, sessionName: string) => {
  const sts = new STSClient({ endpoint: awsUrl, region, credentials: PLATFORM_CREDENTIALS });
  return async (): Promise<Credentials> => {
    const { Credentials: c } = await sts.send(
      new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: sessionName.slice(0, 64) }),
    );
    if (c?.AccessKeyId === undefined || c.SecretAccessKey === undefined || c.SessionToken === undefined)
      throw new TransferError(`InternalServerError: AssumeRole of ${roleArn} gave no credentials`);
    return {
      accessKeyId: c.AccessKeyId,
      secretAccessKey: c.SecretAccessKey,
      sessionToken: c.SessionToken,
      ...(c.Expiration === undefined ? {} : { expiration: c.Expiration }),
    };
  };
};

export interface S3Transfer {
  /**
   * Downloads a data source into a folder.
   * @param prefix for `S3Prefix` the URI that object keys begin with, for `ManifestFile` the URI of the manifest.
   * @returns number of files and bytes.
   * @throws {TransferError} when nothing is there, something is not readable, or a key leads out of the folder.
   */
  download(source: {
    readonly uri: string;
    readonly type: 'S3Prefix' | 'ManifestFile';
    readonly gunzip: boolean;
    readonly into: string;
    readonly roleArn: string;
    readonly signal: AbortSignal;
  }): Promise<{ readonly files: number; readonly bytes: number }>;
  /** Uploads the files below a folder under a URI. @throws {TransferError} naming the object. */
  uploadFolder(folder: string, uri: string, kmsKeyId?: string): Promise<number>;
  /** Uploads one file. @throws {TransferError} naming the object. */
  uploadFile(file: string, uri: string, kmsKeyId?: string): Promise<void>;
  destroy(): void;
}

const PARALLEL = 8;

const inParallel = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: Math.min(PARALLEL, items.length) }, async () => {
      for (const item of rest) await work(item);
    }),
  );
};

const reason = (error: unknown): string => {
  const { name, message } = error as { name?: string; message?: string };
  return name === undefined || name === 'Error' ? String(message ?? error) : `${name}: ${message}`;
};

/** Name of a key below a prefix as SageMaker lays it out: a whole folder, one object, or keys that begin alike. */
export const pathBelow = (key: string, prefix: string): string => {
  if (key === prefix) return basename(key);
  if (prefix === '' || prefix.endsWith('/')) return key.slice(prefix.length);
  if (key.startsWith(`${prefix}/`)) return key.slice(prefix.length + 1);
  return key.slice(prefix.lastIndexOf('/') + 1);
};

export const makeS3Transfer = (awsUrl: string, region: string, credentials: () => Promise<Credentials>): S3Transfer => {
  // Checksums off: not every S3 behind `awsUrl` answers with the trailing checksum that the SDK would wait for.
  const s3 = new S3Client({
    endpoint: awsUrl,
    region,
    forcePathStyle: true,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });

  const keysUnder = async ({ bucket, key }: S3Uri, signal: AbortSignal): Promise<readonly string[]> => {
    const keys: string[] = [];
    for await (const page of paginateListObjectsV2(
      { client: s3 },
      { Bucket: bucket, Prefix: key },
      { abortSignal: signal },
    ))
      for (const { Key } of page.Contents ?? []) if (Key !== undefined && !Key.endsWith('/')) keys.push(Key);
    return keys;
  };

  const manifestKeys = async (
    uri: string,
    signal: AbortSignal,
  ): Promise<readonly { readonly bucket: string; readonly key: string; readonly path: string }[]> => {
    const { bucket, key } = parseS3Uri(uri);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }), { abortSignal: signal });
    let manifest: unknown;
    try {
      manifest = JSON.parse((await Body?.transformToString()) ?? '');
    } catch {
      manifest = undefined;
    }
    const [head, ...names] = Array.isArray(manifest) ? manifest : [];
    const prefix = (head as { prefix?: unknown } | undefined)?.prefix;
    if (typeof prefix !== 'string' || names.some((name) => typeof name !== 'string'))
      throw new TransferError(
        `ClientError: Data download failed:${uri} is not a manifest; expected [{"prefix": "s3://…"}, "path", …]`,
      );
    const base = parseS3Uri(prefix);
    return names.map((name: string) => ({ bucket: base.bucket, key: base.key + name, path: name }));
  };

  const uploadFile: S3Transfer['uploadFile'] = async (file, uri, kmsKeyId) => {
    const { bucket, key } = parseS3Uri(uri);
    try {
      const { size } = await stat(file);
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: createReadStream(file),
          ContentLength: size,
          ...(kmsKeyId === undefined ? {} : { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId }),
        }),
      );
    } catch (error) {
      throw new TransferError(
        `ClientError: Artifact upload failed:Please ensure that the role has "s3:PutObject" permissions on ${uri}. ${reason(error)}`,
      );
    }
  };

  return {
    download: async ({ uri, type, gunzip, into, roleArn, signal }) => {
      const { bucket, key } = parseS3Uri(uri);
      const home = resolve(into);
      let bytes = 0;
      try {
        const objects =
          type === 'ManifestFile'
            ? await manifestKeys(uri, signal)
            : (await keysUnder({ bucket, key }, signal)).map((k) => ({ bucket, key: k, path: pathBelow(k, key) }));
        if (objects.length === 0)
          throw new TransferError(
            `ClientError: Data download failed:No S3 objects found under S3 URL "${uri}" given in input data source. ` +
              `Please ensure that the bucket exists, that objects exist under that S3 prefix, and that the role "${roleArn}" has ` +
              `"s3:ListBucket" permissions on bucket "${bucket}".`,
          );
        await inParallel(objects, async (object) => {
          const file = resolve(home, object.path);
          if (relative(home, file).split(sep)[0] === '..' || file === home)
            throw new TransferError(
              `ClientError: Data download failed:the key ${object.key} leads out of the input folder`,
            );
          await mkdir(dirname(file), { recursive: true });
          const { Body } = await s3.send(new GetObjectCommand({ Bucket: object.bucket, Key: object.key }), {
            abortSignal: signal,
          });
          const target = createWriteStream(file);
          if (gunzip) await pipeline(Body as Readable, createGunzip(), target, { signal });
          else await pipeline(Body as Readable, target, { signal });
          bytes += target.bytesWritten;
        });
        return { files: objects.length, bytes };
      } catch (error) {
        if (error instanceof TransferError || signal.aborted) throw error;
        throw new TransferError(
          `ClientError: Data download failed:Failed to download data. Please ensure that the role "${roleArn}" may read ${uri} ` +
            `("s3:ListBucket", "s3:GetObject") and that the bucket exists. ${reason(error)}`,
        );
      }
    },
    uploadFile,
    uploadFolder: async (folder, uri, kmsKeyId) => {
      const files = await filesBelow(folder);
      const base = uri.endsWith('/') ? uri : `${uri}/`;
      await inParallel(files, (file) => uploadFile(`${folder}/${file}`, base + file, kmsKeyId));
      return files.length;
    },
    destroy: () => s3.destroy(),
  };
};
