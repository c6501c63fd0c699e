import { nearestOf } from '../../text/nearest.ts';
import { nearestUnit } from '../../units/nearest.ts';

/** What was likely meant by a name that is none; undefined when nothing is like it. */
export interface Suggest {
  readonly unit: (code: string) => string | undefined;
  /** @param kind of the names, for which candidates are the same in one run. */
  readonly name: (kind: string, text: string, candidates: Iterable<string>) => string | undefined;
}

/**
 * More wrong names than that are no typing errors but another plant: to look for what was meant by each of ten thousand
 * among ten thousand would take minutes.
 */
const MOST = 200;

/** Suggestions of one run: each wrong name is looked for once, and so many at most. */
export const makeSuggest = (): Suggest => {
  const known = new Map<string, string | undefined>();
  const once = (key: string, look: () => string | undefined): string | undefined => {
    if (!known.has(key) && known.size < MOST) known.set(key, look());
    return known.get(key);
  };
  return {
    unit: (code) => once(`unit ${code}`, () => nearestUnit(code)),
    name: (kind, text, candidates) => once(`${kind} ${text}`, () => nearestOf(text, candidates)),
  };
};
