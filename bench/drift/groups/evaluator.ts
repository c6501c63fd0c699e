import { createHash } from 'node:crypto';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import { WindowSet } from '#core/drift/sketch/merge.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { cpuSeconds, spreadOf } from '../../statistics.ts';
import { baselineOfRows, windowOfRows } from '../baseline-of-rows.ts';
import type { GroupOptions } from '../group.ts';
import { POLICY } from '../policy.ts';
import { normals } from '../streams.ts';

const FEATURES = 100;
const REFERENCE = 10_000;
const ROWS = 100;
const DEVICES = 1000;
const PASSES = 41;
const GOAL_MS = 500;

const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1] as number;

/** What the evaluator computes for windows of 1,000 devices: from the text of the lake to evidence. Reading S3 is not in it. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  const normal = normals(20260303);
  const rowOf = (): number[] => Array.from({ length: FEATURES }, normal);
  const names = Array.from({ length: FEATURES }, (_, k) => `f${k}`);
  const reference = Array.from({ length: REFERENCE }, rowOf);
  const baseline = baselineOfRows(names, { rows: reference, window: ROWS });
  const digests = new Map<DriftWindow, string>();
  const windowDigest = (w: DriftWindow): string => digests.get(w) as string;
  const of = { baseline, policy: POLICY, events: [], held: [], windowDigest };
  const windows = Array.from({ length: DEVICES }, (_, i): DriftWindow => {
    const rows = Array.from({ length: ROWS }, rowOf);
    return windowOfRows(baseline, { rows, sequence: 1 + i * ROWS, at: Date.UTC(2026, 5, 1), every: 1000 });
  });
  const texts = windows.map((w) => canonicalJson(w));
  const parsed = (): DriftWindow[] =>
    texts.map((t) => {
      const window = JSON.parse(t) as DriftWindow;
      digests.set(window, `sha256:${createHash('sha256').update(t).digest('hex')}`);
      return window;
    });
  const timed = (work: () => void): number => {
    digests.clear();
    const start = process.cpuUsage();
    work();
    return cpuSeconds(start) * 1000;
  };
  const together = (): number => timed(() => void foldWindow(null, parsed(), of));
  const merged = (): number => timed(() => void WindowSet.of(parsed()).total());
  for (let warm = 0; warm < 3; warm++) together();
  const all = Array.from({ length: PASSES }, together);
  report.note(`${DEVICES} windows of ${ROWS} rows, ${FEATURES} features, of one context; CPU time, one process`);
  report.figure({
    name: 'merged and tested together, p95',
    value: p95(all),
    interval: [Math.min(...all), Math.max(...all)],
    unit: 'ms',
    goal: GOAL_MS,
  });
  report.figure({
    name: '  of that read and merged',
    ...spreadOf(Array.from({ length: 9 }, merged)),
    unit: 'ms',
    goal: null,
  });
  const each = (): number =>
    timed(() => {
      for (const window of parsed()) foldWindow(null, [window], of);
    });
  report.figure({ name: 'each judged for itself', ...spreadOf([each(), each(), each()]), unit: 'ms', goal: null });
};
