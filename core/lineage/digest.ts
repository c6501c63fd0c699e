import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Digest } from '../contracts/primitives.ts';
import { canonicalJson } from './canonical-json.ts';

/** Digest of bytes, `sha256:<hex>`. For large files shells may use their host's own SHA-256: same value. */
export const digestBytes = (bytes: Uint8Array): Digest => `sha256:${bytesToHex(sha256(bytes))}`;

/** Digest of a JSON document by its canonical form (RFC 8785), independent of key order and spacing. */
export const digestOf = (document: unknown): Digest => digestBytes(utf8ToBytes(canonicalJson(document)));

const LEAF = new Uint8Array([0]);
const NODE = new Uint8Array([1]);

/** Merkle tree hash of lines in order (RFC 6962 §2.1); the root of no lines is the hash of nothing. */
export const merkleRoot = (lines: readonly string[]): Digest => {
  const hash = (from: number, to: number): Uint8Array => {
    if (to - from === 0) return sha256(new Uint8Array());
    if (to - from === 1) return sha256(concatBytes(LEAF, utf8ToBytes(lines[from] as string)));
    let split = 1;
    while (split * 2 < to - from) split *= 2;
    return sha256(concatBytes(NODE, hash(from, from + split), hash(from + split, to)));
  };
  return `sha256:${bytesToHex(hash(0, lines.length))}`;
};
