import type { QuarantineClass, QuarantineEntry } from '../contracts/quarantine.ts';

export type QuarantineSource = QuarantineEntry['from'];

const SOURCES: readonly (readonly [prefix: string, from: QuarantineSource])[] = [
  ['quarantine/messages/', 'messages'],
  ['quarantine/raw/observations/', 'observations'],
  ['quarantine/raw/frames/', 'frames'],
  ['quarantine/inbox/events/', 'events'],
  ['quarantine/inbox/decisions/', 'decisions'],
];

/** What kind of thing was put aside under a key; null for a key of no known kind. */
export const sourceOf = (key: string): QuarantineSource | null =>
  SOURCES.find(([prefix]) => key.startsWith(prefix))?.[1] ?? null;

/** The object that bad lines were copied from, and in which version, null where none is known; of messages there is none. */
export const originalOf = (key: string): { readonly key: string; readonly versionId: string | null } => {
  const [, original = key.slice('quarantine/'.length), versionId = null] =
    /^quarantine\/(.+)\/version=([^/]+)$/.exec(key) ?? [];
  return { key: original, versionId };
};

export const siteOf = (key: string): string => /\/site=([^/]+)\//.exec(key)?.[1] ?? 'unknown';

/**
 * Why a line was put aside, of lines that do not say so themselves.
 * @param line its number from 1; 0 stands for its whole object.
 */
export const classOf = (line: number, reason: string): QuarantineClass =>
  line === 0
    ? 'container'
    : /does not match its contract/.test(reason) || !/JSON/.test(reason)
      ? 'contract'
      : 'not-json';

/** How many of each class. */
export const countClasses = (classes: readonly QuarantineClass[]): QuarantineEntry['classes'] => {
  const counts: Partial<Record<QuarantineClass, number>> = {};
  for (const c of classes) counts[c] = (counts[c] ?? 0) + 1;
  return counts;
};
