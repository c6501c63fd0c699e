import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { foldWindow } from '#core/drift/device/device-fold.ts';
import { startPeer } from '../../peer.ts';
import { cpuSeconds } from '../../statistics.ts';
import { baselineOfRows, windowOfRows } from '../baseline-of-rows.ts';
import type { GroupOptions } from '../group.ts';
import { POLICY } from '../policy.ts';
import { normals } from '../streams.ts';

const FEATURES = 100;
const REFERENCE = 20_000;
const ROWS = 200;
const WINDOWS = 1000;
/** In the second half of the windows so many features moved by half a standard deviation. */
const MOVED = 60;
const SHIFT = 0.5;
/** Evidently takes seconds for a window: so many of either half, and its time for all by the time of one. */
const TRIED = 2;

const share = (flags: readonly boolean[]): number => flags.filter(Boolean).length / flags.length;

/** The windows of 1,000 devices judged by their sketches, and by the default rules of others from the raw rows. */
export const measure = async ({ report }: GroupOptions): Promise<void> => {
  const normal = normals(20260101);
  const rowOf = (moved: boolean): number[] =>
    Array.from({ length: FEATURES }, (_, k) => normal() + (moved && k < MOVED ? SHIFT : 0));
  const reference = Array.from({ length: REFERENCE }, () => rowOf(false));
  const names = Array.from({ length: FEATURES }, (_, k) => `f${k}`);
  const baseline = baselineOfRows(names, { rows: reference, window: ROWS });
  const isMoved = (i: number): boolean => i >= WINDOWS / 2;
  const kept: number[][][] = [];
  const windows: DriftWindow[] = [];
  for (let i = 0; i < WINDOWS; i++) {
    const rows = Array.from({ length: ROWS }, () => rowOf(isMoved(i)));
    windows.push(windowOfRows(baseline, { rows, sequence: 1, at: Date.UTC(2026, 5, 1), every: 1000 }));
    if (i < TRIED || (isMoved(i) && i < WINDOWS / 2 + TRIED)) kept.push(rows);
  }
  const of = { baseline, policy: POLICY, events: [], held: [] };
  // Limits of charts are made once for a package, when its first window comes.
  const first = process.cpuUsage();
  foldWindow(null, [windows[0] as DriftWindow], of);
  const once = cpuSeconds(first);
  const texts = windows.map((w) => JSON.stringify(w));
  const start = process.cpuUsage();
  const flags = texts.map((text) => {
    const { evidence } = foldWindow(null, [JSON.parse(text) as DriftWindow], of);
    return evidence.kind !== 'steady' && evidence.kind !== 'warm-up';
  });
  const seconds = cpuSeconds(start);

  const folder = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  try {
    const write = (name: string, rows: readonly (readonly number[])[]): string => {
      const file = join(folder, name);
      writeFileSync(file, new Float64Array(rows.flat()));
      return file;
    };
    const referenceFile = write('reference.f64', reference);
    const request = { windows: write('windows.f64', kept.flat()), rows: ROWS };
    report.note(`${WINDOWS} windows of ${ROWS} rows, ${FEATURES} features; ${MOVED} of them moved by ${SHIFT} in half`);
    report.figure({ name: 'sketches: all windows', value: seconds, unit: 's', goal: null });
    report.figure({ name: 'sketches: limits of a package, once', value: once, unit: 's', goal: null });
    report.figure({
      name: '  windows flagged, nothing moved',
      value: 100 * share(flags.slice(0, WINDOWS / 2)),
      unit: '%',
      goal: 1.5,
    });
    report.figure({
      name: '  windows flagged, moved',
      value: 100 * share(flags.slice(WINDOWS / 2)),
      unit: '%',
      goal: null,
      atLeast: 95,
    });
    const peers = [
      {
        environment: 'drift',
        script: 'drift/peers/column_rules.py',
        rules: ['evidently', 'evidently-statistic', 'ks-bonferroni', 'psi-0.25'],
      },
      { environment: 'nannyml', script: 'drift/peers/nannyml_rules.py', rules: ['nannyml'] },
    ] as const;
    for (const { environment, script, rules } of peers) {
      const peer = startPeer(environment, script, [referenceFile, String(FEATURES)]);
      try {
        const answers = await peer.ask<Record<string, { flags: boolean[]; seconds: number }>>({ ...request, rules });
        for (const [rule, answer] of Object.entries(answers)) {
          const all = (answer.seconds / kept.length) * WINDOWS;
          const goal = rule === 'evidently' ? { goal: null, atLeast: 50 } : { goal: null };
          report.figure({
            name: `${rule}: all windows, by the time of ${kept.length}`,
            value: all,
            unit: 's',
            goal: null,
          });
          report.figure({ name: `  its time, times that of the sketches`, value: all / seconds, unit: '×', ...goal });
          const said = (flag: boolean[]): string => `${flag.filter(Boolean).length} of ${flag.length}`;
          report.note(
            `${rule} flags ${said(answer.flags.slice(0, TRIED))} windows without change, ${said(answer.flags.slice(TRIED))} with`,
          );
        }
      } finally {
        peer.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
