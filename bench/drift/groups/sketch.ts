import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BaselineSpec } from '#core/contracts/baseline.ts';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { digestParts } from '#core/drift/sketch/digest-parts.ts';
import { WindowSet } from '#core/drift/sketch/merge.ts';
import { WindowSketch } from '#core/drift/sketch/window-sketch.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { seededRandom } from '#core/policy/bootstrap.ts';
import { startPeer } from '../../peer.ts';
import { cpuSeconds, spreadOf } from '../../statistics.ts';
import { baselineOfRows, windowOfRows } from '../baseline-of-rows.ts';
import type { GroupOptions } from '../group.ts';
import { normalsOf } from '../streams.ts';

const FEATURES = 200;
const REFERENCE = 5000;
/** As the configuration of a device has them. */
const WINDOW = 100;
/** The trainer keeps no more (training/millwright_training/joint.py). */
const COMPONENTS = 20;
/** An hour of a device that decides once a second. */
const LONG = 3600;
const PASSES = 9;
const ROWS_OF_PASS = 2000;
const WINDOWS = 100;
const ORDERS = 200;
const FLEET = 1000;
const FLEET_FEATURES = 100;

const random = seededRandom(20260102);
const normal = normalsOf(random);
const rowOf = (width: number): number[] => {
  const common = normal();
  return Array.from({ length: width }, () => 0.5 * common + normal());
};
const names = (width: number): string[] => Array.from({ length: width }, (_, k) => `sensor_${k}_rms`);
const counted = (baseline: BaselineSpec, rows: readonly number[][], sequence: number): DriftWindow =>
  windowOfRows(baseline, { rows, sequence, at: Date.UTC(2026, 5, 1), every: 1000 });

/** Median and range of the nanoseconds that a value of a feature costs, the joint distribution included. */
const nanoseconds = (baseline: BaselineSpec, rows: readonly number[][]) => {
  const sketch = new WindowSketch(baseline);
  const of = { asset: 'asset-1', sourceTime: '2026-06-01T00:00:00.000Z' };
  const pass = (): number => {
    sketch.reset();
    const start = process.cpuUsage();
    for (let i = 0; i < ROWS_OF_PASS; i++) sketch.add({ ...of, sequence: i + 1, x: rows[i % rows.length] as number[] });
    return (cpuSeconds(start) / ROWS_OF_PASS / FEATURES) * 1e9;
  };
  for (let warm = 0; warm < 3; warm++) pass();
  return spreadOf(Array.from({ length: PASSES }, pass));
};

/** How many different results so many orders of the same windows give, grouped and repeated at random. */
const resultsOf = (windows: readonly DriftWindow[], orders: number): number => {
  const results = new Set<string>();
  for (let i = 0; i < orders; i++) {
    const shuffled = windows.map((w) => ({ w, by: random() })).sort((a, b) => a.by - b.by);
    const twice = [...shuffled, ...shuffled.filter(() => random() < 0.2)];
    const groups = [...Map.groupBy(twice, () => Math.floor(random() * 7)).values()];
    const merged = groups.map((of) => WindowSet.of(of.map(({ w }) => w))).reduce((a, b) => a.merge(b));
    results.add(canonicalJson([merged.toJSON(), merged.total()]));
  }
  return results.size;
};

/** What a window costs on the device and on the wire, and that merging whole windows gives the same bytes (G13, G14). */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  const reference = Array.from({ length: REFERENCE }, () => rowOf(FEATURES));
  const rows = Array.from({ length: WINDOW * WINDOWS }, () => rowOf(FEATURES));
  const plain = baselineOfRows(names(FEATURES), { rows: reference, window: WINDOW });
  const all = baselineOfRows(names(FEATURES), { rows: reference, window: WINDOW, joint: 0.5 });
  const joined = all.joint as NonNullable<BaselineSpec['joint']>;
  const kept = {
    ...joined,
    loadings: joined.loadings.slice(0, COMPONENTS),
    variances: joined.variances.slice(0, COMPONENTS),
  };
  const baseline: BaselineSpec = { ...all, joint: kept };
  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  const file = join(folder, 'rows');
  writeFileSync(file, new Float64Array(rows.flat()));
  const peer = startPeer('drift', 'drift/peers/kll.py', [file, String(FEATURES), String(WINDOW)]);
  try {
    type Said = { readonly nanoseconds: number; readonly bytes: readonly number[]; readonly results: number };
    const kll = await peer.ask<Said>({ k: 200, orders: ORDERS, long: LONG });
    const whylogs = await peer.ask<Said>({ k: 1024, orders: 1, long: LONG });

    const alone = nanoseconds(plain, rows);
    const joint = nanoseconds(baseline, rows);
    report.figure({
      name: 'a value of a feature',
      ...alone,
      unit: 'ns',
      goal: 100,
      peer: { name: 'KLL k=200', value: kll.nanoseconds },
    });
    report.figure({
      name: `with T² and Q, ${COMPONENTS} components`,
      ...joint,
      unit: 'ns',
      goal: 100,
    });
    const share = (ns: number): number => ns * FEATURES * 1000 * 1e-9 * 100;
    const core = { unit: '% of a core', goal: 2 };
    report.figure({
      name: '200 features at 1 kHz',
      value: share(joint.value),
      interval: joint.interval.map(share) as [number, number],
      ...core,
    });

    for (const [k, length] of [WINDOW, LONG].entries()) {
      const parts = digestParts(counted(baseline, rows.slice(0, length), 1));
      const bytes = parts.reduce((sum, part) => sum + Buffer.byteLength(JSON.stringify(part)), 0);
      report.figure({
        name: `a feature of ${length} rows on the wire`,
        value: bytes / baseline.features.length,
        unit: 'B',
        goal: 120,
        peer: { name: 'KLL k=200', value: kll.bytes[k] as number },
      });
      report.note(`with the k of whylogs, 1024, it is ${whylogs.bytes[k]} B`);
    }
    const sketch = new WindowSketch(baseline);
    sketch.add({ sequence: 1, asset: 'asset-1', sourceTime: '2026-06-01T00:00:00.000Z', x: rows[0] as number[] });
    report.figure({
      name: 'state of a feature, one asset',
      value: sketch.bytes / baseline.features.length,
      unit: 'B',
      goal: 1000,
    });

    const windows = Array.from({ length: WINDOWS }, (_, i) => {
      const { features, ...of } = counted(plain, rows.slice(i * WINDOW, (i + 1) * WINDOW), i * WINDOW + 1);
      return { ...of, features: features.slice(0, 20) };
    });
    const same = resultsOf(windows, ORDERS);
    report.figure({
      name: `results of ${ORDERS} orders of ${WINDOWS} windows`,
      value: same,
      unit: '',
      goal: 1,
      peer: { name: 'KLL k=200', value: kll.results },
    });

    const fleet = Array.from({ length: FLEET }, (_, i) => {
      const { features, ...of } = windows[i % WINDOWS] as DriftWindow;
      const full = counted(plain, rows.slice((i % WINDOWS) * WINDOW, (i % WINDOWS) * WINDOW + 10), 1).features;
      return { ...of, device: `edge-${i}`, features: full.slice(0, FLEET_FEATURES) };
    });
    const merging = Array.from({ length: 5 }, () => {
      const start = process.cpuUsage();
      WindowSet.of(fleet).total();
      return cpuSeconds(start) * 1000;
    });
    report.figure({
      name: `${FLEET} windows × ${FLEET_FEATURES} features merged`,
      ...spreadOf(merging),
      unit: 'ms',
      goal: null,
    });
  } finally {
    peer.close();
    rmSync(folder, { recursive: true });
  }
};
