import { DeleteObjectsCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';

/** An object of a listing. */
export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  /** ISO 8601, UTC, milliseconds. */
  readonly at: string;
}

/** What few functions do with objects of a bucket beside reading and writing them. */
export interface ObjectFiles {
  entries(prefix: string): Promise<readonly ListedObject[]>;
  /** @returns false when there is an object of this key already, which stays. */
  putNew(key: string, bytes: Uint8Array, contentType: string): Promise<boolean>;
  /** Removes objects; of a bucket with versions their newest version is hidden. One that is not there is no error. */
  remove(keys: readonly string[]): Promise<void>;
}

const DELETED_AT_ONCE = 1000;

export const s3Files = (client: S3Client, bucket: string): ObjectFiles => ({
  async entries(prefix) {
    const found: ListedObject[] = [];
    for (let token: string | undefined; ; ) {
      const page = await client.send(
        new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }),
      );
      for (const { Key, Size = 0, LastModified } of page.Contents ?? [])
        if (Key !== undefined) found.push({ key: Key, bytes: Size, at: (LastModified ?? new Date(0)).toISOString() });
      token = page.NextContinuationToken;
      if (token === undefined) return found;
    }
  },
  async putNew(key, bytes, contentType) {
    try {
      await client.send(
        new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType, IfNoneMatch: '*' }),
      );
      return true;
    } catch (error) {
      if ((error as Error).name === 'PreconditionFailed') return false;
      throw error;
    }
  },
  async remove(keys) {
    for (let i = 0; i < keys.length; i += DELETED_AT_ONCE) {
      const Objects = keys.slice(i, i + DELETED_AT_ONCE).map((Key) => ({ Key }));
      const { Errors = [] } = await client.send(
        new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
      );
      const [first] = Errors;
      if (first !== undefined)
        throw new Error(
          `${Errors.length} of ${Objects.length} objects of ${bucket} could not be removed, first ${first.Key}: ${first.Message}`,
        );
    }
  },
});
