import type { z } from 'zod';

/** Input that does not match its contract: names the input, the field, what was expected. */
export class ContractError extends Error {
  readonly what: string;
  readonly issues: readonly string[];
  constructor(what: string, issues: readonly string[]) {
    super(
      `${what} does not match its contract: ${issues.slice(0, 5).join('; ')}${issues.length > 5 ? `; and ${issues.length - 5} more` : ''}`,
    );
    this.name = 'ContractError';
    this.what = what;
    this.issues = issues;
  }
}

/**
 * Parse once at the border.
 * @param what names the input in the error, for example `frame 17 of raw/frames/…`.
 * @throws {ContractError} naming each field and what was expected.
 */
export const parseAs = <S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new ContractError(
    what,
    result.error.issues.map((i) => `${i.path.length === 0 ? '(whole)' : i.path.join('.')}: ${i.message}`),
  );
};
