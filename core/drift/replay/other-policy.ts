import { parseAs } from '../../contracts/errors.ts';
import { JudgingPolicy } from '../../contracts/use-case.ts';

const isObject = (x: unknown): x is Readonly<Record<string, unknown>> =>
  typeof x === 'object' && x !== null && !Array.isArray(x);

/** JSON Merge Patch (RFC 7396): objects field by field, null takes a field away, all else replaces. */
const patched = (target: unknown, patch: unknown): unknown => {
  if (!isObject(patch)) return patch;
  const fields = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch))
    if (value === null) fields.delete(name);
    else fields.set(name, patched(fields.get(name), value));
  return Object.fromEntries(fields);
};

/**
 * A policy that says only what is other than declared: a field that is null has its default again.
 * @param what names the input in the error. @throws {ContractError} naming the field that is none of a policy.
 */
export const otherPolicy = (declared: JudgingPolicy, other: unknown, what: string): JudgingPolicy =>
  parseAs(JudgingPolicy, patched(declared, other), what);
