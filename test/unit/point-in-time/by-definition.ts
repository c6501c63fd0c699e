/** A version of a row of a bi-temporal history; times in milliseconds. */
export interface HistoryRow {
  readonly entity: number;
  /** Names the row in its entity. */
  readonly index: number;
  readonly valid: number;
  readonly known: number;
  readonly source: string;
  /** It says that there is no such row from then on. */
  readonly empty?: boolean;
}

export interface Wanted {
  readonly entity: number;
  readonly time: number;
  readonly asOf?: number;
}

const last = <T>(of: readonly T[], key: (t: T) => readonly (number | string)[]): T | undefined =>
  [...of]
    .sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      const at = x.findIndex((v, i) => v !== y[i]);
      return at < 0 ? 0 : (x[at] as number) < (y[at] as number) ? -1 : 1;
    })
    .at(-1);

/** The row that a label is to be joined to, straight from the definition. */
export const wantedRow = (
  rows: readonly HistoryRow[],
  { entity, time, asOf = time }: Wanted,
  maxAge = Number.POSITIVE_INFINITY,
): HistoryRow | null => {
  const known = rows.filter((r) => r.entity === entity && r.known <= asOf);
  const versions = [...Map.groupBy(known, (r) => r.index).values()].flatMap(
    (some) => last(some, (r) => [r.known, r.source]) ?? [],
  );
  const there = versions.filter((r) => r.empty !== true && r.valid <= time);
  const newest = last(there, (r) => [r.valid, r.known, r.index, r.source]);
  return newest === undefined || time - newest.valid > maxAge ? null : newest;
};
