import { gunzipSync } from 'node:zlib';
import { type Line, utf8Lines } from './utf8.ts';

/** What an upload may unpack to, in bytes: a small file that unpacks to gigabytes must not take its reader down. */
export const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;

/**
 * Lines of an upload that are not empty. Does not throw.
 * @param bytes gzip. @param maxBytes limit of what they may unpack to.
 * @param advice what whoever sent more is to do.
 */
export const unpackLines = (
  bytes: Uint8Array,
  maxBytes: number,
  advice: string,
): { readonly ok: true; readonly lines: readonly Line[] } | { readonly ok: false; readonly reason: string } => {
  try {
    return { ok: true, lines: utf8Lines(gunzipSync(bytes, { maxOutputLength: maxBytes })) };
  } catch (error) {
    return {
      ok: false,
      reason:
        (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
          ? `it unpacks to more than ${maxBytes} bytes; ${advice}`
          : `not gzip: ${(error as Error).message}`,
    };
  }
};
