import type { JoinRows } from './join.ts';
import { supersededAt } from './superseded.ts';

/** All versions of the rows of one run, as the offline store has them: parallel columns of the table `features`. */
export interface RunRows {
  readonly asset: string;
  readonly run: string;
  readonly index: readonly number[];
  readonly validTime: readonly string[];
  readonly knownTime: readonly string[];
  /** Empty: from its known time on it is known that the row has no features. */
  readonly x: readonly (readonly number[])[];
  readonly source: readonly string[];
}

/** A label with the row that it was joined to. */
export interface TrainingRow {
  readonly asset: string;
  readonly run: string;
  readonly index: number;
  readonly validTime: string;
  readonly knownTime: string;
  readonly labelTime: string;
  readonly label: number;
  readonly x: readonly number[];
  readonly source: string;
}

/** Rows of a run for the join, and where in the run each of them is. */
export interface JoinableRows extends JoinRows {
  readonly at: readonly number[];
}

/**
 * The rows of a run that were known at an instant, with when each was superseded by then; what says that a row is none
 * supersedes and is no row itself.
 * @throws {RangeError} naming a row whose times cannot be read.
 */
export const joinableRows = (run: RunRows, entity: number, knownAt: number): JoinableRows => {
  const instant = (text: string, row: number): number => {
    const ms = Date.parse(text);
    if (Number.isNaN(ms))
      throw new RangeError(
        `row ${row} of run ${run.asset}/${run.run}: expected UTC times, got ${JSON.stringify(text)}`,
      );
    return ms;
  };
  const known = run.knownTime.map(instant);
  const there = run.index.map((_, i) => i).filter((i) => (known[i] as number) <= knownAt);
  const until = supersededAt({
    index: there.map((i) => run.index[i] as number),
    known: Float64Array.from(there, (i) => known[i] as number),
    source: there.map((i) => run.source[i] as string),
  });
  const kept = there.map((i, n) => ({ i, until: until[n] as number })).filter(({ i }) => (run.x[i]?.length ?? 0) > 0);
  return {
    at: kept.map(({ i }) => i),
    entity: new Int32Array(kept.length).fill(entity),
    valid: Float64Array.from(kept, ({ i }) => instant(run.validTime[i] as string, i)),
    known: Float64Array.from(kept, ({ i }) => known[i] as number),
    until: Float64Array.from(kept, (k) => k.until),
    index: Float64Array.from(kept, ({ i }) => run.index[i] as number),
    source: kept.map(({ i }) => run.source[i] as string),
  };
};

/** A row of a run with its label. */
export const trainingRow = (run: RunRows, i: number, labelTime: string, label: number): TrainingRow => ({
  asset: run.asset,
  run: run.run,
  index: run.index[i] as number,
  validTime: run.validTime[i] as string,
  knownTime: run.knownTime[i] as string,
  labelTime,
  label,
  x: run.x[i] as readonly number[],
  source: run.source[i] as string,
});
