import canonicalize from 'canonicalize';

/**
 * Canonical JSON text of a value (RFC 8785): the one form that is hashed and signed.
 * @throws {TypeError} when the value is not JSON (undefined, NaN, infinities).
 */
export const canonicalJson = (value: unknown): string => {
  const text = canonicalize(value);
  if (text === undefined)
    throw new TypeError('canonical JSON: expected a JSON value, got undefined; leave the field out or use null');
  return text;
};
