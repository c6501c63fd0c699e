import { digestBytes } from './digest.ts';

/** Longest id of a ledger command, in characters. */
const LIMIT = 200;

/**
 * Id of a ledger command from what distinguishes it, joined by `/`. One that is too long keeps its beginning, to be read
 * by people, and ends in the digest of the whole: what distinguishes two commands mostly stands at their end.
 */
export const commandIdOf = (...parts: readonly (string | number)[]): string => {
  const id = parts.join('/');
  if (id.length <= LIMIT) return id;
  const tail = `~${digestBytes(new TextEncoder().encode(id)).slice('sha256:'.length)}`;
  return id.slice(0, LIMIT - tail.length) + tail;
};
