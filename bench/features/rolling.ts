import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { startPeer } from '../peer.ts';
import type { GroupOptions } from './group.ts';
import { define, frameAt, makeNoise, setOf } from './inputs.ts';
import { contest, rate } from './measure.ts';
import { LENGTH, throughEngine, waveformWindows } from './waveforms.ts';

/** What tsfresh's minimal set says of a series, but for its length and what follows from the others. */
const OF_SERIES = [
  define('waveform-mean', 'vibration', 1),
  define('waveform-std', 'vibration', 1),
  define('rms', 'vibration', 1),
  define('peak', 'vibration', 1),
  ...[0, 0.5, 1].map((q) => define('waveform-quantile', 'vibration', 1, { q }, `quantile_${q}`)),
];

const WINDOW = 64;
const ROWS = 4000;
const SIGNALS: readonly SignalDefinition[] = Array.from({ length: 8 }, (_, i) => ({
  name: `s${i}`,
  unit: '1',
  kind: 'scalar',
  range: [-1e6, 1e6],
}));
const ROLLING = SIGNALS.flatMap(({ name }) => [
  define('mean', name, WINDOW),
  define('std', name, WINDOW),
  define('slope', name, WINDOW),
  define('decayed-mean', name, WINDOW, { decay: 0.9 }),
  ...[0, 0.5, 1].map((q) => define('quantile', name, WINDOW, { q }, `quantile_${q}`)),
]);

/** A row of eight signals after the other, as frames and as a file of float64, rows first. */
const scalarRows = () => {
  const next = makeNoise();
  const rows = Array.from({ length: ROWS }, (_, r) => Array.from(SIGNALS, (_, i) => next() + Math.sin(r / (20 + i))));
  const file = join(mkdtempSync(join(tmpdir(), 'millwright-bench-')), 'rows.f64');
  writeFileSync(file, Buffer.from(Float64Array.from(rows.flat()).buffer));
  const frames = rows.map((row, r) =>
    frameAt(r + 1, 1000, Object.fromEntries(row.map((value, i) => [`s${i}`, { value, quality: 'GOOD' as const }]))),
  );
  return { frames, file };
};

const largestDifference = (own: readonly (readonly number[])[], other: readonly (readonly number[])[]): number =>
  own.reduce(
    (worst, row, i) =>
      row.reduce((w, value, k) => {
        const reference = other[i]?.[k] as number;
        return Math.max(w, Math.abs(value - reference) / Math.max(1, Math.abs(reference)));
      }, worst),
    0,
  );

/** Statistics of whole series against numpy and tsfresh; of rolling windows, a row for every frame, against numpy. */
export const rolling = async ({ report }: GroupOptions): Promise<void> => {
  const series = waveformWindows();
  const rows = scalarRows();
  const peer = startPeer('features', 'features/peers/rolling.py', [
    series.file,
    String(LENGTH),
    rows.file,
    String(SIGNALS.length),
    String(WINDOW),
  ]);
  try {
    const { batch } = await peer.ask<{ batch: number }>({ prepare: true });
    report.note(`${series.from}; best batch of numpy ${batch}`);
    const engine = throughEngine(OF_SERIES, series.frames);
    const rollingSet = compileFeatureSet(setOf(ROLLING), SIGNALS);
    const vectors = (): readonly (readonly number[])[] => {
      const window = rollingSet.open();
      return rows.frames.map((frame) => {
        const vector = window.push(frame);
        return vector.ok ? vector.x : [];
      });
    };
    const other = await peer.ask<{ series: number[][]; rows: number[][] }>({ features: true });
    report.figure({
      name: 'largest difference from numpy',
      value: Math.max(
        largestDifference(engine(), other.series),
        largestDifference(vectors().slice(WINDOW - 1), other.rows),
      ),
      unit: '',
      goal: 1e-9,
    });
    await contest({
      report,
      unit: 'series/s',
      peer,
      own: { 'statistics of 2,048 samples': () => rate(series.frames.length, engine) },
      peers: { 'numpy, vectorised': 1, 'tsfresh, minimal set': 15 },
    });
    await contest({
      report,
      unit: 'rows/s',
      peer,
      own: { '56 rolling statistics of 64 frames': () => rate(ROWS, vectors) },
      peers: { 'numpy, sliding windows': 1 },
    });
  } finally {
    peer.close();
  }
};
