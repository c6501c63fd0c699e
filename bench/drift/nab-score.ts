/** Where a change is, as the first and last observation at which a detection counts as one of it. */
export interface NabWindow {
  readonly first: number;
  readonly last: number;
}

export interface NabScore {
  /** 100: every window at its first observation and nothing else; 0: nothing at all. Below 0 with enough false alarms. */
  readonly score: number;
  readonly found: number;
  readonly windows: number;
  readonly falseAlarms: number;
}

/** Weight of a false alarm in the profile "standard"; a window that is found or missed weighs one. */
const FALSE_ALARM = 0.11;
/** A detection further behind a window than this many of its lengths is as wrong as one can be. */
const FAR_BEHIND = 3;

/** Worth of a detection at `y` window lengths from the end of its window: near 1 at its begin (-1), 0 at its end, towards -1 behind it. */
const worth = (y: number): number => (y > FAR_BEHIND ? -1 : 2 / (1 + Math.exp(5 * y)) - 1);

/**
 * Score of the Numenta Anomaly Benchmark, profile "standard" (Lavin & Ahmad 2015, "Evaluating real-time anomaly detection
 * algorithms", section III): of the detections in a window the first counts, the more the earlier; each outside costs, less
 * so just behind a window.
 * @param series of one file each: windows in order, apart from each other, and detections in order.
 */
export const nabScore = (
  series: readonly { readonly windows: readonly NabWindow[]; readonly detections: readonly number[] }[],
): NabScore => {
  let score = 0;
  let found = 0;
  let falseAlarms = 0;
  for (const { windows, detections } of series) {
    const seen = new Set<NabWindow>();
    for (const at of detections) {
      const inside = windows.find((w) => w.first <= at && at <= w.last);
      if (inside !== undefined) {
        if (!seen.has(inside)) score += worth((at - inside.last) / (inside.last - inside.first + 1)) / worth(-1);
        seen.add(inside);
        continue;
      }
      falseAlarms += 1;
      const before = windows.findLast((w) => w.last < at);
      score += FALSE_ALARM * (before === undefined ? -1 : worth((at - before.last) / (before.last - before.first + 1)));
    }
    found += seen.size;
    score -= windows.length - seen.size;
  }
  const windows = series.reduce((sum, s) => sum + s.windows.length, 0);
  const perfect = series
    .flatMap((s) => s.windows)
    .reduce((sum, w) => sum + worth((w.first - w.last) / (w.last - w.first + 1)) / worth(-1), 0);
  return { score: (100 * (score + windows)) / (perfect + windows), found, windows, falseAlarms };
};
