import { ContractError, parseAs } from '#core/contracts/errors.ts';
import { Frame } from '#core/contracts/frame.ts';
import { MAX_FRAMES_SPAN } from '#core/contracts/lake.ts';
import type { ObjectRef } from '#core/contracts/primitives.ts';
import { type ObjectStore, sha256 } from './object-store.ts';
import { MAX_UNPACKED_BYTES, unpackLines } from './unpack.ts';
import { NOT_UTF8 } from './utf8.ts';

/**
 * Key of an upload of frames: site, asset, run, first and last index. Where a device wrote it, its thing stands before
 * the indexes, which the device's role sees to; it has to be one of this site.
 */
export const FRAMES_KEY =
  /^raw\/frames\/site=([^/]+)\/asset=([^/]+)\/run=([^/]+)\/(?:[a-z][a-z0-9]*-\1-[^/]+\/)?(\d{10})-(\d{10})\.ndjson\.gz$/;

export interface CheckedFrames {
  readonly frames: readonly Frame[];
  /** Lines that are no frame of this key, from 1; line 0 is the object as a whole. */
  readonly bad: readonly { readonly line: number; readonly reason: string; readonly text: string }[];
}

const wholly = (reason: string): CheckedFrames => ({ frames: [], bad: [{ line: 0, reason, text: '' }] });

/**
 * Frames of an upload that keep their contract and the key's promise, and the rest with reasons. All who read uploads
 * read them by this, so that what was put aside at registration is never trained or judged on. Does not throw.
 * @param bytes gzip of NDJSON. @param maxBytes limit of what they may unpack to.
 */
export const readFrames = (bytes: Uint8Array, key: string, maxBytes = MAX_UNPACKED_BYTES): CheckedFrames => {
  const parts = FRAMES_KEY.exec(key);
  if (parts === null)
    return wholly(
      'the key is not raw/frames/site=…/asset=…/run=…/first-last.ndjson.gz, or with a thing of this site before first',
    );
  const [, site, asset, run] = parts;
  const [first, last] = [Number(parts[4]), Number(parts[5])];
  if (last - first >= MAX_FRAMES_SPAN)
    return wholly(
      `the key says ${first} to ${last}, but an object has frames of ${MAX_FRAMES_SPAN} indexes at most; upload the run in several objects`,
    );
  const unpacked = unpackLines(bytes, maxBytes, 'upload the run in smaller objects');
  if (!unpacked.ok) return wholly(unpacked.reason);
  const frames: Frame[] = [];
  const bad: { line: number; reason: string; text: string }[] = [];
  for (const { line, text, isUtf8 } of unpacked.lines) {
    try {
      if (!isUtf8) throw new Error(NOT_UTF8);
      const frame = parseAs(Frame, JSON.parse(text), `line ${line}`);
      if (frame.site !== site || frame.asset !== asset || frame.run !== run)
        throw new ContractError(`line ${line}`, [
          `is of ${frame.site}/${frame.asset}/${frame.run}, but the key says ${site}/${asset}/${run}`,
        ]);
      if (frame.index < first || frame.index > last)
        throw new ContractError(`line ${line}`, [`has index ${frame.index}, but the key says ${first} to ${last}`]);
      frames.push(frame);
    } catch (error) {
      bad.push({ line, reason: (error as Error).message, text: text.slice(0, 4000) });
    }
  }
  return { frames, bad };
};

/** Good frames of an object that a snapshot names. @throws {Error} when its bytes are not those of the snapshot. */
export const framesOf = async (lake: Pick<ObjectStore, 'get'>, ref: ObjectRef): Promise<readonly Frame[]> => {
  const bytes = await lake.get(ref.key, ref.versionId);
  const digest = sha256(bytes);
  if (digest !== ref.digest)
    throw new Error(
      `s3://${ref.bucket}/${ref.key} is not what was registered: expected ${ref.digest}, got ${digest}; its bytes were changed since`,
    );
  return readFrames(bytes, ref.key).frames;
};
