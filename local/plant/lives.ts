import type { Frame } from '#core/contracts/frame.ts';
import type { LiveRun } from '#core/contracts/source.ts';

const HOUR_MS = 3_600_000;
/** A machine stands still so long between two of its runs where their times do not follow each other. */
const PAUSE_MS = 2 * HOUR_MS;
/**
 * Laps are moved by whole months of thirty days, so that how many frames a machine sent before, which hangs on the pace of
 * the computer, mostly does not show in the times of the next lap.
 */
const MONTH_MS = 30 * 24 * HOUR_MS;

/** A run and by how much it is later than its source says, ms. */
export interface MovedRun<R extends LiveRun = LiveRun> {
  readonly run: R;
  readonly moved: number;
  /** Source time of its last frame, ms since 1970. */
  readonly until: number;
}

const timeOf = (frame: Frame): number => Date.parse(frame.sourceTime);

/** An instant moved by ms. */
export const moveInstant = (instant: string, ms: number): string => new Date(Date.parse(instant) + ms).toISOString();

/** A frame as a machine sends it when its life comes later than the source says. */
export const moveFrame = (frame: Frame, ms: number): Frame => ({
  ...frame,
  sourceTime: moveInstant(frame.sourceTime, ms),
  receivedTime: moveInstant(frame.receivedTime, ms),
});

/** Source time of the first frame that any lane has, ms since 1970; null without frames. */
export const lanesBegin = (lanes: readonly (readonly LiveRun[])[]): number | null => {
  const begins = lanes.flatMap((runs) =>
    runs.flatMap(({ frames: [first] }) => (first === undefined ? [] : timeOf(first))),
  );
  return begins.length === 0 ? null : begins.reduce((a, b) => Math.min(a, b));
};

/**
 * By how much a lap is later than its source says, ms, whole months: the same for all machines, so that what happens on one
 * before it happens on another still does.
 * @param livedUntil newest source time of earlier laps, ms since 1970; null before the first.
 */
export const lapMoved = (lanes: readonly (readonly LiveRun[])[], livedUntil: number | null): number => {
  const begins = lanesBegin(lanes);
  if (livedUntil === null || begins === null) return 0;
  const late = livedUntil + PAUSE_MS - begins;
  return late <= 0 ? 0 : Math.ceil(late / MONTH_MS) * MONTH_MS;
};

/**
 * The runs of one round of one machine, one after the other: each at its own time in the lap, or, where that is
 * over, a pause after the run before. Runs without frames take no time.
 * @param moved as {@link lapMoved} says. @param livedUntil newest source time of this machine in this lap; null at first.
 */
export const moveRuns = <R extends LiveRun>(
  runs: readonly R[],
  moved: number,
  livedUntil: number | null,
): readonly MovedRun<R>[] => {
  let until = livedUntil ?? Number.NEGATIVE_INFINITY;
  return runs.flatMap((run) => {
    const [first, last] = [run.frames[0], run.frames.at(-1)];
    if (first === undefined || last === undefined) return [];
    const by = timeOf(first) + moved > until ? moved : until + PAUSE_MS - timeOf(first);
    until = timeOf(last) + by;
    return [{ run, moved: by, until }];
  });
};
