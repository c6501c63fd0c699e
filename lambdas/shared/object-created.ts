import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';

const ObjectCreated = z.object({
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string(), 'version-id': z.string().optional() }),
  }),
});

export interface CreatedObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
}

/** What S3 tells EventBridge when an object was written. */
export const parseObjectCreated = (body: unknown): CreatedObject => {
  const { detail } = parseAs(ObjectCreated, body, 'Object Created event of S3');
  return {
    bucket: detail.bucket.name,
    key: detail.object.key,
    versionId: detail.object['version-id'] ?? null,
  };
};
