import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DETECTORS } from '#core/drift/detectors-registry.ts';
import { startPeer } from '../../peer.ts';
import { alarmsOn, dummies, printContest } from '../contest.ts';
import type { GroupOptions } from '../group.ts';
import { type Streams, writeStreams } from '../streams.ts';

/** Streams, by the seeds from here on: other than those that bets were chosen on. */
const SEEDS = 30;
/** Peers take seconds for a stream: so many of them. */
const PEER_SEEDS = 15;
const FIRST_SEED = 101;
const STABLE = 10_000;
const TRAIN = 10_000;
/** Labels that the expected loss is known from: of a validation set, and as many as a detector without one saw. */
const LABELS = [2000, 10_000] as const;
const BOUND = 1e6;

/** Concepts before and after, records that follow, and the goal. */
const CASES = [
  { name: 'SEA 8 to 9', concepts: ['sea', 8, 9], changed: 6000, goal: 800 },
  { name: 'SEA 8 to 7', concepts: ['sea', 8, 7], changed: 6000, goal: 1250 },
  { name: 'SEA 8 to 9.5', concepts: ['sea', 8, 9.5], changed: 6000, goal: 350 },
  { name: 'Agrawal function 2 to 3', concepts: ['agrawal', 2, 3], changed: 1000, goal: 20 },
  { name: 'Agrawal function 1 to 2', concepts: ['agrawal', 1, 2], changed: 1000, goal: 20 },
] as const;

const OTHERS = ['river ADWIN', 'river Page-Hinkley', 'river HDDM_A', 'river HDDM_W', 'river DDM', 'Frouros RDDM'];

const rateOf = (row: Float64Array): string => (row.reduce((sum, x) => sum + x, 0) / row.length).toFixed(3);

/** G6: a boosted model that was learnt once meets another concept; what is known beforehand are 2,000 labels, or as many as the others saw. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  const maker = startPeer('drift', 'drift/peers/error_streams.py');
  const peer = startPeer('drift', 'drift/peers/detectors.py');
  try {
    for (const { name, concepts, changed, goal } of CASES) {
      const rows: Float64Array[] = [];
      const means: Record<number, number[]> = {};
      const file = join(folder, 'errors.f64');
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
        const request = { concepts, seed, train: TRAIN, labels: LABELS, stable: STABLE, changed, file };
        const { errors } = await maker.ask<{ errors: number[] }>(request);
        for (const [i, labels] of LABELS.entries()) {
          const p = (errors[i] as number) / labels;
          means[labels] = [...(means[labels] ?? []), p + 1.645 * Math.sqrt((p * (1 - p)) / labels)];
        }
        rows.push(new Float64Array(new Uint8Array(readFileSync(file)).buffer));
      }
      const first = rows[0] as Float64Array;
      const streams: Streams = {
        name: `G6, ${name}, error ${rateOf(first.subarray(0, STABLE))} to ${rateOf(first.subarray(STABLE))}`,
        stable: STABLE,
        changed,
        rows,
      };
      const eSr = (bound: number, labels: number) =>
        rows.map((row, i) =>
          alarmsOn(
            (DETECTORS['e-sr'] as (typeof DETECTORS)[string]).start({
              mean: means[labels]?.[i] as number,
              alarmAt: bound,
            }),
            row,
          ),
        );
      const answers = await peer.ask<Record<string, number[][]>>({
        streams: writeStreams(folder, streams),
        records: STABLE + changed,
        detectors: OTHERS,
        count: PEER_SEEDS,
      });
      printContest(report, streams, [
        { name: 'e-SR, bound 1e6', alarms: eSr(BOUND, LABELS[0]), goal },
        { name: 'e-SR, bound 1e6, 10,000 labels', alarms: eSr(BOUND, LABELS[1]) },
        { name: 'e-SR, bound 1e5', alarms: eSr(BOUND / 10, LABELS[0]) },
      ]);
      const few = { ...streams, rows: rows.slice(0, PEER_SEEDS) };
      printContest(report, few, [
        ...Object.entries(answers).map(([of, alarms]) => ({ name: of, alarms })),
        ...dummies(few, [100, 1000]),
      ]);
    }
  } finally {
    maker.close();
    peer.close();
    rmSync(folder, { recursive: true, force: true });
  }
};
