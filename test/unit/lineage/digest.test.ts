import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { canonicalJson } from '../../../core/lineage/canonical-json.ts';
import { digestBytes, digestOf, merkleRoot } from '../../../core/lineage/digest.ts';

const sha = (...parts: (string | Buffer)[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const leaf = (line: string) => sha(Buffer.from([0]), line);
const node = (a: Buffer, b: Buffer) => sha(Buffer.from([1]), a, b);

describe('digests', () => {
  it('of bytes are SHA-256', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(digestBytes(bytes)).toBe(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
      }),
    );
  });
  it('of documents do not depend on the order of keys', () => {
    expect(digestOf({ a: 1, b: [2, { d: 3, c: 4 }] })).toBe(digestOf({ b: [2, { c: 4, d: 3 }], a: 1 }));
  });
  it('refuse what is no JSON', () => {
    expect(() => canonicalJson(undefined)).toThrow(/expected a JSON value/);
    expect(() => canonicalJson(Number.NaN)).toThrow();
  });
  it('print numbers as RFC 8785 does', () => {
    expect(canonicalJson([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27]',
    );
  });
  it('of trees follow RFC 6962', () => {
    expect(merkleRoot([])).toBe(`sha256:${sha('').toString('hex')}`);
    expect(merkleRoot(['a'])).toBe(`sha256:${leaf('a').toString('hex')}`);
    expect(merkleRoot(['a', 'b', 'c'])).toBe(`sha256:${node(node(leaf('a'), leaf('b')), leaf('c')).toString('hex')}`);
  });
  it('of trees change with any line and with any order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 12 }), (lines) => {
        expect(merkleRoot([...lines].reverse())).not.toBe(merkleRoot(lines));
        expect(merkleRoot(lines.slice(1))).not.toBe(merkleRoot(lines));
      }),
    );
  });
});
