/** When a detector alarmed, and when there was something to be found: indices of records, ascending. */
export interface Alarms {
  readonly alarms: readonly number[];
  readonly drifts: readonly number[];
  /** Records of the stream. */
  readonly length: number;
  /** A drift is found by the first alarm within so many records, and before the next drift. Absent: until the next drift. */
  readonly within?: number;
}

export interface AlarmMetrics {
  /** Alarms that found a drift, as a share of all; null without an alarm. */
  readonly precision: number | null;
  /** Drifts that were found, as a share of all; null without a drift. */
  readonly episodeRecall: number | null;
  readonly f1: number | null;
  /** Mean records from a drift to the alarm that found it; null when none was found. */
  readonly delay: number | null;
  /** The same as a share of `within`; null without one. */
  readonly normalisedDelay: number | null;
  /** False alarms for each record of the stream. */
  readonly falseAlarmRate: number;
  /** Mean records between two false alarms; null with fewer than two. */
  readonly betweenFalseAlarms: number | null;
  /** Time between false alarms over delay, times the share found (MTR, Bifet 2017); null where one of them is. */
  readonly timeRatio: number | null;
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, v) => sum + v, 0) / values.length;

/**
 * How good alarms are, by the metrics of river's `drift.evaluate` (Bifet 2017, "Classifier concept drift detection and the
 * illusion of progress"). Every alarm that is not the first within reach of a drift is false: being told twice helps nobody.
 * Print a detector that alarms periodically beside it: some of these reward noise.
 * @throws {RangeError} when alarms or drifts are not ascending indices of the stream.
 */
export const alarmMetrics = ({ alarms, drifts, length, within }: Alarms): AlarmMetrics => {
  for (const [name, all] of Object.entries({ alarms, drifts })) {
    const odd = all.findIndex((at, i) => !(Number.isInteger(at) && at > (all[i - 1] ?? -1) && at < length));
    if (odd >= 0)
      throw new RangeError(`alarm metrics: expected ${name} to be ascending indices below ${length}, got ${all[odd]}`);
  }
  const found = drifts.flatMap((drift, i) => {
    const end = Math.min(drifts[i + 1] ?? length, within === undefined ? length : drift + within + 1);
    const alarm = alarms.find((at) => at >= drift && at < end);
    return alarm === undefined ? [] : [{ alarm, delay: alarm - drift }];
  });
  const useful = new Set(found.map(({ alarm }) => alarm));
  const wrong = alarms.filter((at) => !useful.has(at));
  const precision = alarms.length === 0 ? null : found.length / alarms.length;
  const episodeRecall = drifts.length === 0 ? null : found.length / drifts.length;
  const delay = mean(found.map((f) => f.delay));
  const betweenFalseAlarms = mean(wrong.slice(1).map((at, i) => at - (wrong[i] as number)));
  const sum = (precision ?? 0) + (episodeRecall ?? 0);
  return {
    precision,
    episodeRecall,
    f1: precision === null || episodeRecall === null ? null : sum === 0 ? 0 : (2 * precision * episodeRecall) / sum,
    delay,
    normalisedDelay: delay === null || within === undefined ? null : delay / within,
    falseAlarmRate: wrong.length / length,
    betweenFalseAlarms,
    timeRatio:
      betweenFalseAlarms === null || episodeRecall === null || !delay
        ? null
        : (betweenFalseAlarms / delay) * episodeRecall,
  };
};
