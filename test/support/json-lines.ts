import { gunzipSync } from 'node:zlib';

/** The documents of an object of packed lines. */
export const jsonLines = <T = unknown>(packed: Uint8Array): T[] =>
  gunzipSync(packed)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
