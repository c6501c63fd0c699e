import { LAKE_TABLES, type LakeRow, type LakeTable, type LandedTableName } from '../contracts/lake-tables.ts';
import { digestBytes } from '../lineage/digest.ts';
import { compareText } from '../text/compare.ts';

/** An object of a listing. */
export interface SizedObject {
  readonly key: string;
  readonly bytes: number;
}

/** One file that compaction makes of several. */
export interface CompactionPart {
  readonly name: string;
  readonly sources: readonly string[];
}

const DAY_MS = 86_400_000;
/** How long after midnight a batch of the day before may still be written: longer than any writer may run. */
const CLOSING_MS = 3_600_000;

/** Is a day over for good: does no more land on it? @param date YYYY-MM-DD, UTC. @param now milliseconds since 1970. */
export const isClosed = (date: string, now: number): boolean => now >= Date.parse(date) + DAY_MS + CLOSING_MS;

/**
 * What one part may hold, so that it is worked on in bounded memory: its rows are sorted at once. A row of observations
 * that repeat themselves takes less than 3 bytes in a file and nearly a thousand in memory.
 */
export const PART_LIMITS = { bytes: 3 * 1024 * 1024, files: 500 } as const;

/**
 * Divides the small files of a day into parts, in the order of their keys. A file that is larger than a part may be is a
 * part of its own. The same files give the same parts with the same names.
 */
export const planParts = (
  files: readonly SizedObject[],
  limits: { readonly bytes: number; readonly files: number } = PART_LIMITS,
): CompactionPart[] => {
  const groups: { bytes: number; sources: string[] }[] = [];
  for (const { key, bytes } of files.toSorted((a, b) => compareText(a.key, b.key))) {
    const last = groups.at(-1);
    if (last !== undefined && last.sources.length < limits.files && last.bytes + bytes <= limits.bytes) {
      last.sources.push(key);
      last.bytes += bytes;
    } else groups.push({ bytes, sources: [key] });
  }
  return groups.map(({ sources }, i) => ({
    name: `${String(i).padStart(5, '0')}-${digestBytes(new TextEncoder().encode(sources.join('\n'))).slice(7, 23)}`,
    sources,
  }));
};

const compare = (a: unknown, b: unknown): number =>
  a === b ? 0 : a === null ? -1 : b === null ? 1 : (a as string | number) < (b as string | number) ? -1 : 1;

/** Rows in the order of their table, each row once: of rows with the same key the first stays. */
export const mergeRows = <N extends LandedTableName>(table: N, rows: readonly LakeRow<N>[]): LakeRow<N>[] => {
  const { order = [], rowKey }: LakeTable = LAKE_TABLES[table];
  const value = (row: LakeRow<N>, column: string): unknown => (row as Record<string, unknown>)[column];
  const unique = new Map<string, LakeRow<N>>();
  for (const row of rows) {
    const key = JSON.stringify(rowKey.map((column) => value(row, column)));
    if (!unique.has(key)) unique.set(key, row);
  }
  return [...unique.values()].sort((a, b) => {
    for (const column of order) {
      const by = compare(value(a, column), value(b, column));
      if (by !== 0) return by;
    }
    return 0;
  });
};
