import { createHash } from 'node:crypto';

/** Digest of bytes, or of a text in UTF-8, as contracts write it. Native: files are large, and `digestBytes` is pure. */
export const sha256 = (bytes: Uint8Array | string): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
