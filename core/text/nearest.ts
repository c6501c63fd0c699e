/** Levenshtein's distance: how many characters to put in, take out or replace. */
export const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(
        Math.min(
          (row[j] as number) + 1,
          (next[j - 1] as number) + 1,
          (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[b.length] as number;
};

/** Longer texts are no names that somebody mistyped. */
const LONGEST = 64;

/**
 * The candidate that was most likely meant by a text that is none of them; the first of several as near. Undefined when
 * none is like it: more than a third of its characters would have to change.
 */
export const nearestOf = (text: string, candidates: Iterable<string>): string | undefined => {
  if (text.length > LONGEST) return undefined;
  let best: string | undefined;
  let least = Math.max(1, Math.floor(text.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - text.length) >= least) continue;
    const far = distance(text.toLowerCase(), candidate.toLowerCase());
    if (far < least) [best, least] = [candidate, far];
  }
  return best;
};

/** What a message ends with after a name that is none: the one that was likely meant, or else something of use. */
export const didYouMean = (meant: string | undefined, otherwise: string): string =>
  meant === undefined ? otherwise : `did you mean "${meant}"?`;
