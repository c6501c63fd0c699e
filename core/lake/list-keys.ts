export interface ListOptions {
  /** Only keys after this one. */
  readonly after?: string;
  /**
   * Given the last key of an answer that is not the last one: after which key to go on, at least this one. Absent:
   * with what follows.
   */
  readonly goOn?: (last: string) => string;
}

/** One answer to a request that lists keys, in ascending order of their bytes. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** Where the next answer begins; absent when there are no more keys. */
  readonly token?: string | undefined;
}

/** Where an answer begins: with what a token says, or after a key. */
export interface PageStart {
  readonly token?: string;
  readonly after?: string;
}

/**
 * Keys of a store that answers page by page, as S3 does. With `goOn` keys that are not wanted are leapt over, as far as
 * they fill a page of their own: some of them may be in the list.
 */
export const listKeys = async (
  pageOf: (start: PageStart) => Promise<KeyPage>,
  { after, goOn }: ListOptions = {},
): Promise<readonly string[]> => {
  const keys: string[] = [];
  for (let start: PageStart = after === undefined ? {} : { after }; ; ) {
    const page = await pageOf(start);
    for (const key of page.keys) keys.push(key);
    if (page.token === undefined) return keys;
    const last = page.keys.at(-1);
    const next = last === undefined || goOn === undefined ? last : goOn(last);
    start = next === last ? { token: page.token } : { after: next as string };
  }
};
