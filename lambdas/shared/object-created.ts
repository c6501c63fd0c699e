import { z } from 'zod';
import { parseAs } from '#core/contracts/errors.ts';
import { compareText } from '#core/text/compare.ts';

const ObjectCreated = z.object({
  detail: z.object({
    bucket: z.object({ name: z.string() }),
    object: z.object({ key: z.string(), 'version-id': z.string().optional(), sequencer: z.string().optional() }),
  }),
});

export interface CreatedObject {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | null;
  /** Says which of two events of a key is the later one; null where the event does not say it. */
  readonly sequencer: string | null;
}

/**
 * Order of two events of one key by their sequencers: the shorter one padded on the right with zeros, then as text.
 * Source: Amazon S3 User Guide, "Event message structure".
 */
export const compareSequencers = (a: string, b: string): number => {
  const length = Math.max(a.length, b.length);
  return compareText(a.padEnd(length, '0'), b.padEnd(length, '0'));
};

/** What S3 tells EventBridge when an object was written. */
export const parseObjectCreated = (body: unknown): CreatedObject => {
  const { detail } = parseAs(ObjectCreated, body, 'Object Created event of S3');
  return {
    bucket: detail.bucket.name,
    key: detail.object.key,
    versionId: detail.object['version-id'] ?? null,
    sequencer: detail.object.sequencer ?? null,
  };
};
