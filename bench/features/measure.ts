import type { Peer } from '../peer.ts';
import type { Report } from '../report.ts';
import { cpuSeconds, spreadOf } from '../statistics.ts';

/** So many repetitions, one after the other with each peer's: load of the machine meets all alike. */
const REPETITIONS = 7;
const SECONDS = 0.4;

/**
 * Units of work a second of CPU time, of all threads of this process: collecting garbage and compiling count, waiting for
 * others on the machine does not. `work` does `units` of them and is called for at least some tenths of a second.
 */
export const rate = (units: number, work: () => void): number => {
  const start = process.cpuUsage();
  let done = 0;
  let seconds = 0;
  do {
    work();
    done += units;
    seconds = cpuSeconds(start);
  } while (seconds < SECONDS);
  return done / seconds;
};

export interface Contest {
  readonly report: Report;
  /** What is counted, for example `windows/s`. */
  readonly unit: string;
  readonly peer: Peer;
  /** What runs here, by name; the first is what peers are compared with. */
  readonly own: Readonly<Record<string, () => number>>;
  /** How many times a peer the first must be; null: only to be watched. A peer answers `{"measure": name}` with its rate. */
  readonly peers: Readonly<Record<string, number | null>>;
}

/** Runs all in turns; prints each rate, and the ratio to each peer with its goal: medians, and [least – largest]. */
export const contest = async ({ report, unit, peer, own, peers }: Contest): Promise<void> => {
  const rates = new Map<string, number[]>();
  const note = (name: string, value: number): void => {
    rates.set(name, [...(rates.get(name) ?? []), value]);
  };
  for (const measure of Object.values(own)) measure();
  for (let i = 0; i < REPETITIONS; i++) {
    for (const [name, measure] of Object.entries(own)) note(name, measure());
    for (const name of Object.keys(peers))
      note(name, (await peer.ask<{ rate: number }>({ measure: name, seconds: SECONDS })).rate);
  }
  const figure = (name: string, values: readonly number[], of: string, atLeast?: number): void =>
    report.figure({
      name,
      ...spreadOf(values),
      unit: of,
      goal: null,
      ...(atLeast === undefined ? {} : { atLeast }),
    });
  for (const [name, values] of rates) figure(name, values, unit);
  const [first = ''] = Object.keys(own);
  for (const [name, goal] of Object.entries(peers)) {
    const ratios = (rates.get(first) as number[]).map((value, i) => value / (rates.get(name)?.[i] as number));
    figure(`  ${first}, times ${name}`, ratios, '×', goal ?? undefined);
  }
};
