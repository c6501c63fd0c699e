/** How far a device that serves a package has decided, in the numbers it gives its decisions since its start `boot`. */
export interface Deciding {
  readonly site: string;
  readonly device: string;
  readonly boot: string;
  /** First decision by the package that is known of this start, and the last. */
  readonly first: number;
  readonly last: number;
}

/** The newest window of its inputs that came; numbers as in {@link Deciding}. */
export interface Watched {
  readonly site: string;
  readonly device: string;
  readonly boot: string;
  readonly windowEnd: number;
  readonly rows: number;
  /** Source time of its last row. */
  readonly to: string;
}

export interface Unwatched {
  readonly site: string;
  readonly device: string;
  /** Until when its inputs were looked at; null: never. */
  readonly since: string | null;
  /** Decisions since then. */
  readonly decisions: number;
}

/** Windows of its own usual size that may be missing. */
const MISSING = 5;
/** Decisions of a device whose windows have no usual size yet: a few of the largest that are sent. */
const FIRST_WINDOW_BY = 2000;

/**
 * Devices that go on deciding while nothing is heard of their inputs: whoever judges by inputs would take their silence
 * for health. Counted in decisions, so that a device that stands still, or is cut off with its uploads, is not meant.
 * @param watched at most one of each device.
 */
export const unwatchedDevices = (deciding: readonly Deciding[], watched: readonly Watched[]): readonly Unwatched[] =>
  deciding.flatMap(({ site, device, boot, first, last }) => {
    const newest = watched.find((w) => w.site === site && w.device === device);
    const decisions = newest?.boot === boot ? last - newest.windowEnd : last - first + 1;
    const allowed = newest === undefined ? FIRST_WINDOW_BY : MISSING * newest.rows;
    return decisions > allowed ? [{ site, device, since: newest?.to ?? null, decisions }] : [];
  });
