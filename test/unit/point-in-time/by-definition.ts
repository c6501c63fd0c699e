/** A row of a bi-temporal history; times in milliseconds. */
export interface HistoryRow {
  readonly entity: number;
  readonly valid: number;
  readonly known: number;
  readonly index: number;
  readonly source: string;
}

export interface Wanted {
  readonly entity: number;
  readonly time: number;
  readonly asOf?: number;
}

/** The row that a label is to be joined to, straight from the definition: filter, sort, take the last. */
export const wantedRow = (
  rows: readonly HistoryRow[],
  { entity, time, asOf = time }: Wanted,
  maxAge = Number.POSITIVE_INFINITY,
): HistoryRow | null => {
  const seen = rows
    .filter((r) => r.entity === entity && r.valid <= time && r.known <= asOf)
    .sort((a, b) => a.valid - b.valid || a.known - b.known || a.index - b.index || (a.source < b.source ? -1 : 1));
  const newest = seen.at(-1);
  return newest === undefined || time - newest.valid > maxAge ? null : newest;
};
