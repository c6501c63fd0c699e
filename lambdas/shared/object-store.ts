import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { ObjectRef } from '#core/contracts/primitives.ts';
import { type ListOptions, listKeys } from '#core/lake/list-keys.ts';

/** Objects of one bucket. */
export interface ObjectStore {
  readonly bucket: string;
  get(key: string, versionId?: string | null): Promise<Uint8Array>;
  /** Null when there is no such object. */
  find(key: string): Promise<Uint8Array | null>;
  put(key: string, bytes: Uint8Array, contentType?: string): Promise<ObjectRef>;
  list(prefix: string, options?: ListOptions): Promise<readonly string[]>;
}

/** Digest of bytes by the host's own SHA-256. */
export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const isAbsent = (error: unknown): boolean => ['NoSuchKey', 'NotFound'].includes((error as Error).name);

export const s3Store = (client: S3Client, bucket: string): ObjectStore => {
  const get = async (key: string, versionId?: string | null): Promise<Uint8Array> => {
    const answer = await client.send(
      new GetObjectCommand({ Bucket: bucket, Key: key, ...(versionId ? { VersionId: versionId } : {}) }),
    );
    return (await answer.Body?.transformToByteArray()) ?? new Uint8Array();
  };
  const list = (prefix: string, options?: ListOptions): Promise<readonly string[]> =>
    listKeys(async ({ after, token }) => {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, StartAfter: after, ContinuationToken: token }),
      );
      return { keys: (page.Contents ?? []).map((o) => o.Key as string), token: page.NextContinuationToken };
    }, options);
  return {
    bucket,
    list,
    async get(key, versionId) {
      try {
        return await get(key, versionId);
      } catch (error) {
        if (isAbsent(error))
          throw new Error(`s3://${bucket}/${key} does not exist${versionId ? ` at version ${versionId}` : ''}`);
        throw error;
      }
    },
    async find(key) {
      try {
        return await get(key);
      } catch (error) {
        if (isAbsent(error)) return null;
        // Who may list a prefix only is not told that a key is absent (S3 API, GetObject, "Permissions"), but may list it.
        if ((error as Error).name === 'AccessDenied' && !(await list(key)).includes(key)) return null;
        throw error;
      }
    },
    async put(key, bytes, contentType = 'application/octet-stream') {
      const answer = await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType }),
      );
      return { bucket, key, versionId: answer.VersionId ?? null, digest: sha256(bytes), bytes: bytes.byteLength };
    },
  };
};

/** @throws {Error} naming the object when it is not JSON. */
export const getJson = async (
  store: Pick<ObjectStore, 'bucket' | 'get'>,
  key: string,
  versionId?: string | null,
): Promise<unknown> => {
  const text = Buffer.from(await store.get(key, versionId)).toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`s3://${store.bucket}/${key} is not JSON: ${(error as Error).message}`);
  }
};

export const putJson = (store: ObjectStore, key: string, value: unknown): Promise<ObjectRef> =>
  store.put(key, Buffer.from(JSON.stringify(value)), 'application/json');
