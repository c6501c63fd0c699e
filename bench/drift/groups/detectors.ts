import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyDetector } from '#core/drift/detector.ts';
import { DETECTORS } from '#core/drift/detectors-registry.ts';
import { limitForArl0 } from '#core/drift/limits/arl.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { type Peer, startPeer } from '../../peer.ts';
import { alarmsOn, betweenAlarms, type Contestant, dummies, printContest } from '../contest.ts';
import type { GroupOptions } from '../group.ts';
import { clustered, normals, type Streams, streamsOf, writeStreams } from '../streams.ts';

/** Of all streams of a kind; peers take seconds for a stream, so they run on the first of them only. */
const COUNT = 200;
const PEER_COUNT = 20;
const STABLE = 2000;
const BOUND = 1e6;
/** Labels that the expected loss is known from. */
const LABELS = 2000;
const SEED = 2026_0901;

const start = (name: string, options: Readonly<Record<string, number>> = {}): AnyDetector =>
  (DETECTORS[name] as (typeof DETECTORS)[string]).start(options);

/** Upper 95 % bound of a rate, by so many labels. */
const upperRate = (errors: number, labels: number): number => {
  const p = errors / labels;
  return p + 1.645 * Math.sqrt((p * (1 - p)) / labels);
};

/** Upper bound of an error rate as a reference of its own says it, with its own seed. */
const expectedLoss = (rate: number, stream: number): number => {
  const random = seededRandom(SEED + 7919 * (stream + 1));
  let errors = 0;
  for (let i = 0; i < LABELS; i++) errors += random() < rate ? 1 : 0;
  return upperRate(errors, LABELS);
};

/** Records that a self-starting e-SR learns its expected loss from, instead of from a validation set. */
const OWN = 500;
const selfStarting = (row: Float64Array): number[] => {
  const errors = row.slice(0, OWN).reduce((sum, x) => sum + x, 0);
  const mean = Math.max(0.001, upperRate(errors, OWN));
  return alarmsOn(start('e-sr', { mean, alarmAt: BOUND }), row.subarray(OWN)).map((at) => at + OWN);
};

interface Peers {
  readonly peer: Peer;
  readonly folder: string;
}

const peerAlarms = async (
  { peer, folder }: Peers,
  streams: Streams,
  names: readonly string[],
): Promise<Contestant[]> => {
  const answers = await peer.ask<Record<string, number[][]>>({
    streams: writeStreams(folder, streams),
    records: streams.stable + streams.changed,
    detectors: names,
    count: PEER_COUNT,
  });
  return Object.entries(answers).map(([name, alarms]) => ({ name, alarms }));
};

const on = (streams: Streams, detector: (stream: number) => AnyDetector): number[][] =>
  streams.rows.map((row, i) => alarmsOn(detector(i), row));

const firstOf = (streams: Streams, count: number): Streams => ({ ...streams, rows: streams.rows.slice(0, count) });

/** Prints who runs on all streams, then peers and alarms by the clock on the first of them. */
const compare = async (
  report: GroupOptions['report'],
  peers: Peers,
  o: { readonly streams: Streams; readonly own: readonly Contestant[]; readonly others: readonly string[] },
): Promise<void> => {
  printContest(report, o.streams, o.own);
  const few = firstOf(o.streams, PEER_COUNT);
  printContest(report, few, [...(await peerAlarms(peers, o.streams, o.others)), ...dummies(few, [100, 1000])]);
};

/** G3: the mean of numbers moves, known mean and deviation. */
const numbers = async (report: GroupOptions['report'], peers: Peers): Promise<void> => {
  const h = limitForArl0(0.25, BOUND);
  for (const [shift, goal] of [
    [0.5, 100],
    [1, 35],
    [2, 15],
  ] as const) {
    const name = `G3, N(0, 1) moves by ${shift} sd`;
    const streams = streamsOf({ name, stable: STABLE, changed: 1000, count: COUNT }, (s) => {
      const normal = normals(SEED + s);
      return (i) => normal() + (i < STABLE ? 0 : shift);
    });
    const own = { name: 'CUSUM k 0.25, run length 1e6', alarms: on(streams, () => start('cusum', { h })), goal };
    await compare(report, peers, {
      streams,
      own: [own],
      others: ['river ADWIN', 'river Page-Hinkley', 'Frouros CUSUM'],
    });
  }
};

/** G4: an error rate of 0.1 rises, known from labels. */
const rates = async (report: GroupOptions['report'], peers: Peers): Promise<void> => {
  for (const [after, goal] of [
    [0.15, 1300],
    [0.2, 320],
    [0.3, 85],
    [0.5, 28],
  ] as const) {
    const name = `G4, error rate 0.1 to ${after}`;
    const streams = streamsOf({ name, stable: STABLE, changed: 4000, count: COUNT }, (s) => {
      const random = seededRandom(SEED + s);
      return (i) => (random() < (i < STABLE ? 0.1 : after) ? 1 : 0);
    });
    const eSr = (s: number) => start('e-sr', { mean: expectedLoss(0.1, s), alarmAt: BOUND });
    const fresh = streams.rows.map((row, s) => alarmsOn(eSr(s), row.subarray(STABLE)).map((at) => at + STABLE));
    const eCusum = (s: number) => start('e-cusum', { mean: expectedLoss(0.1, s), alarmAt: BOUND });
    await compare(report, peers, {
      streams,
      own: [
        { name: 'e-SR', alarms: on(streams, eSr), goal },
        { name: 'e-SR, from a fresh state', alarms: fresh, goal },
        { name: 'e-SR, self-starting', alarms: streams.rows.map(selfStarting) },
        { name: 'e-CUSUM', alarms: on(streams, eCusum) },
      ],
      others: ['river ADWIN', 'river DDM', 'river HDDM_A', 'river HDDM_W', 'Frouros HDDM_A', 'Frouros RDDM'],
    });
  }
};

/** Means of batches, so that neighbours are hardly alike any more. */
const BATCH = 20;
const TOLERANCE = 0.02;
const batched = (row: ArrayLike<number>): Float64Array =>
  Float64Array.from({ length: Math.floor(row.length / BATCH) }, (_, b) => {
    let sum = 0;
    for (let i = 0; i < BATCH; i++) sum += row[b * BATCH + i] as number;
    return sum / BATCH;
  });

/** G5: errors that come in clusters, without any change and with one. */
const clusters = async (report: GroupOptions['report'], peers: Peers): Promise<void> => {
  const rho = 0.5;
  const quiet = streamsOf(
    { name: 'G5, clustered errors, no change', stable: 18_000, changed: 0, count: COUNT },
    (s) => {
      const next = clustered(rho, SEED + s);
      return () => next(0.1);
    },
  );
  const mean = (s: number): number => {
    const next = clustered(rho, SEED + 104_729 * (s + 1));
    let errors = 0;
    for (let i = 0; i < LABELS; i++) errors += next(0.1);
    return upperRate(errors, LABELS) + TOLERANCE;
  };
  report.note(`${quiet.name}: ${COUNT} streams of ${quiet.stable} records`);
  const falseAlarms = (name: string, alarms: readonly (readonly number[])[], atLeast?: number): void =>
    report.figure({
      name: `${name} [${alarms.flat().length} false]`,
      ...betweenAlarms(alarms.length * quiet.stable, alarms.flat().length),
      unit: 'records between',
      goal: null,
      ...(atLeast === undefined ? {} : { atLeast }),
    });
  const eSr = (s: number) => start('e-sr', { mean: mean(s), alarmAt: BOUND });
  falseAlarms(
    'e-SR, batches of 20',
    quiet.rows.map((row, s) => alarmsOn(eSr(s), batched(row))),
    BOUND,
  );
  falseAlarms('e-SR, record by record', on(quiet, eSr));
  for (const { name, alarms } of await peerAlarms(peers, quiet, ['river Page-Hinkley', 'river HDDM_A', 'river ADWIN']))
    falseAlarms(name, alarms);
  for (const after of [0.2, 0.3]) {
    const name = `G5, clustered errors, 0.1 to ${after}`;
    const streams = streamsOf({ name, stable: STABLE, changed: 4000, count: COUNT }, (s) => {
      const next = clustered(rho, SEED + s);
      return (i) => next(i < STABLE ? 0.1 : after);
    });
    const alarms = streams.rows.map((row, s) => alarmsOn(eSr(s), batched(row)).map((batch) => (batch + 1) * BATCH - 1));
    await compare(report, peers, {
      streams,
      own: [{ name: 'e-SR, batches of 20', alarms }],
      others: ['river Page-Hinkley', 'river HDDM_A'],
    });
  }
};

/** Whose alarms have to be the same as those of a library, record by record. */
const SAME: readonly (readonly [name: string, options: Readonly<Record<string, number>>, library: string])[] = [
  ['adwin', {}, 'Frouros ADWIN'],
  ['adwin', { everyCut: 1 }, 'river ADWIN'],
  ['page-hinkley', { fromExtreme: 0 }, 'Frouros Page-Hinkley'],
  ['page-hinkley', {}, 'river Page-Hinkley'],
  ['page-hinkley', { alpha: 1 }, 'Frouros CUSUM'],
  ['ddm', {}, 'Frouros DDM'],
  ['eddm', {}, 'Frouros EDDM'],
  ['hddm-a', {}, 'Frouros HDDM_A'],
  ['hddm-a', { conservative: 1 }, 'river HDDM_A'],
  ['hddm-w', {}, 'Frouros HDDM_W'],
  ['ecdd', {}, 'Frouros ECDD'],
  ['stepd', {}, 'Frouros STEPD'],
];

/** The classics beside their libraries: what is compared above is what is in the library. */
const classics = async (report: GroupOptions['report'], peers: Peers): Promise<void> => {
  const streams = streamsOf({ name: 'error rate 0.1 to 0.3', stable: 2000, changed: 1000, count: PEER_COUNT }, (s) => {
    const random = seededRandom(SEED + s);
    return (i) => (random() < (i < 2000 ? 0.1 : 0.3) ? 1 : 0);
  });
  report.note(`classics on ${PEER_COUNT} streams, ${streams.name}: every alarm at the record where the library has it`);
  const theirs = await peerAlarms(
    peers,
    streams,
    SAME.map(([, , library]) => library),
  );
  for (const [name, options, library] of SAME) {
    const own = on(streams, () => start(name, options));
    const same = own.filter((all, i) => {
      const others = theirs.find((t) => t.name === library)?.alarms[i];
      return JSON.stringify(all) === JSON.stringify(others);
    });
    report.figure({
      name: `${name} ${Object.keys(options).join(' ')} as ${library} [${own.flat().length} alarms]`,
      value: same.length / own.length,
      unit: 'of streams',
      goal: null,
      atLeast: 1,
    });
  }
};

/** G3, G4, G5: false alarms and delay of sequential detectors, beside river's and Frouros's, and beside alarms by the clock. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  const peer = startPeer('drift', 'drift/peers/detectors.py');
  try {
    const peers = { peer, folder };
    await classics(report, peers);
    await numbers(report, peers);
    await rates(report, peers);
    await clusters(report, peers);
  } finally {
    peer.close();
    rmSync(folder, { recursive: true, force: true });
  }
};
