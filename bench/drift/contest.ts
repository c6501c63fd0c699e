import { type AlarmMetrics, alarmMetrics } from '#core/drift/alarm-metrics.ts';
import type { AnyDetector } from '#core/drift/detector.ts';
import { medianOf } from '../statistics.ts';
import { periodicAlarms } from './dummy.ts';
import type { GroupOptions } from './group.ts';
import type { Streams } from './streams.ts';

type Report = GroupOptions['report'];

/** Indices at which a detector alarms on a stream; it begins anew after each alarm. */
export const alarmsOn = (detector: AnyDetector, stream: ArrayLike<number>): number[] => {
  const alarms: number[] = [];
  let d = detector;
  for (let i = 0; i < stream.length; i++) {
    d = d.update(stream[i] as number);
    if (!d.inAlarm) continue;
    alarms.push(i);
    d = d.reset();
  }
  return alarms;
};

/** Middle of some delays with a distribution-free 95 % interval (order statistics); one that was never is the largest. */
export const medianDelay = (
  delays: readonly number[],
): { readonly value: number; readonly interval: readonly [number, number] } => {
  const ascending = [...delays].sort((a, b) => a - b);
  const reach = Math.ceil(0.98 * Math.sqrt(ascending.length));
  const at = (i: number): number => ascending[Math.max(0, Math.min(ascending.length - 1, i))] as number;
  const middle = Math.floor(ascending.length / 2);
  return { value: medianOf(ascending), interval: [at(middle - reach), at(middle + reach)] };
};

/** Wilson–Hilferty bounds of the mean of a Poisson count. */
const poissonBound = (n: number, z: number): number =>
  n === 0 && z < 0 ? 0 : Math.max(0, n) * (1 - 1 / (9 * n) + z / (3 * Math.sqrt(n))) ** 3;

/** Records between false alarms with a 95 % interval; without any, so many as there were, as the least. */
export const betweenAlarms = (
  records: number,
  alarms: number,
): { readonly value: number; readonly interval: readonly [number, number] } => ({
  value: records / Math.max(1, alarms),
  interval: [
    records / poissonBound(alarms + 1, 1.96),
    alarms === 0 ? Number.POSITIVE_INFINITY : records / poissonBound(alarms, -1.96),
  ],
});

export interface Contestant {
  readonly name: string;
  /** Alarms of each stream. */
  readonly alarms: readonly (readonly number[])[];
  readonly goal?: number;
}

/** Alarms by the clock, the same for all. */
export const dummies = (streams: Streams, periods: readonly number[]): readonly Contestant[] =>
  periods.map((period) => ({
    name: `dummy, every ${period}`,
    alarms: streams.rows.map((row) => periodicAlarms(row.length, period).map((at) => at - 1)),
  }));

const meanOf = (values: readonly number[]): number => values.reduce((sum, v) => sum + v, 0) / values.length;

/** Prints delay, share found, false alarms in the stable part and F1 of each, over streams that change once. */
export const printContest = (report: Report, streams: Streams, contestants: readonly Contestant[]): void => {
  const { stable, changed, rows } = streams;
  report.note(`${streams.name}: ${rows.length} streams of ${stable} + ${changed} records`);
  for (const { name, alarms: all, goal } of contestants) {
    // What is said after the alarm that found the change is about the same change.
    const alarms = all.map((of) => of.slice(0, of.findIndex((at) => at >= stable) + 1 || of.length));
    const metrics: AlarmMetrics[] = alarms.map((of) =>
      alarmMetrics({ alarms: of, drifts: [stable], length: stable + changed }),
    );
    // So many changed records it saw, the one it alarmed at included.
    const delays = metrics.map((m) => (m.delay === null ? Number.POSITIVE_INFINITY : m.delay + 1));
    const found = delays.filter(Number.isFinite).length;
    const early = alarms.flat().filter((at) => at < stable).length;
    const f1 = meanOf(metrics.map((m) => m.f1 ?? 0)).toFixed(2);
    report.figure({
      name: `${name} [${(found / rows.length).toFixed(2)} found; ${early} false; F1 ${f1}]`,
      ...medianDelay(delays),
      unit: 'records',
      goal: goal ?? null,
    });
  }
};
