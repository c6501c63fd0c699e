import { invalid } from './service-error.ts';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken?: string;
}

/** Sorts newest first when used as a paging key. */
export const newestFirst = (epochMs: number): string => String(9_999_999_999_999 - epochMs).padStart(13, '0');

/**
 * One page of a list. The token names the last key handed out, so that what appears or goes between two pages neither
 * repeats nor hides the rest.
 *
 * @param scope what is listed, with its filters: a token of another list is refused
 * @param keyOf unique and in the order in which the list is given out
 * @throws ServiceError ValidationException for a token that this list did not hand out
 */
export const page = <T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  scope: string,
  input: { readonly maxResults?: number; readonly nextToken?: string },
): Page<T> => {
  const size = input.maxResults ?? 50;
  const keyed = items.map((item) => ({ item, key: keyOf(item) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  let after = '';
  if (input.nextToken !== undefined) {
    const [tokenScope, key] = Buffer.from(input.nextToken, 'base64url').toString('utf8').split('\u0000');
    if (tokenScope !== scope || key === undefined) {
      throw invalid('The nextToken is not one that this list handed out; start from the first page', ['nextToken']);
    }
    after = key;
  }
  const rest = keyed.filter(({ key }) => key > after);
  const taken = rest.slice(0, size);
  const last = taken.at(-1);
  return {
    items: taken.map(({ item }) => item),
    ...(rest.length > size && last !== undefined
      ? { nextToken: Buffer.from(`${scope}\u0000${last.key}`, 'utf8').toString('base64url') }
      : {}),
  };
};
