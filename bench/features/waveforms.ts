import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import type { Frame } from '#core/contracts/frame.ts';
import type { SignalDefinition } from '#core/contracts/use-case.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { frameAt, makeNoise, setOf } from './inputs.ts';

const RECORDED = join(import.meta.dirname, '../../../shared/data/cwru');
export const LENGTH = 2048;
export const RATE_HZ = 12_000;
const WINDOWS = 1000;

/** Vibration of good and bad bearings at 12 kHz (CWRU) where it is there, else made by formula. */
const samples = (): { readonly from: string; readonly windows: readonly Float32Array[] } => {
  const windows: Float32Array[] = [];
  if (existsSync(RECORDED))
    for (const file of readdirSync(RECORDED).filter((f) => f.endsWith('.f32') && !f.startsWith('Normal_0'))) {
      const bytes = readFileSync(join(RECORDED, file));
      const all = new Float32Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 4));
      for (let at = 0; at + LENGTH <= all.length; at += LENGTH) windows.push(all.slice(at, at + LENGTH));
    }
  if (windows.length >= WINDOWS) return { from: 'CWRU bearings', windows: windows.slice(0, WINDOWS) };
  const next = makeNoise();
  const made = (w: number) =>
    Float32Array.from({ length: LENGTH }, (_, i) => next() + Math.sin(i * (0.1 + w / 997)) + (i % 113 === 0 ? 4 : 0));
  return { from: 'made by formula', windows: Array.from({ length: WINDOWS }, (_, w) => made(w)) };
};

const VIBRATION: SignalDefinition = {
  name: 'vibration',
  unit: 'm/s2',
  kind: 'waveform',
  range: [-1000, 1000],
  sampleRateHz: RATE_HZ,
  samples: LENGTH,
};

/** Windows of one waveform: as frames for the engine, as arrays for the kernel, as a file of float64 for peers. */
export const waveformWindows = () => {
  const { from, windows } = samples();
  const arrays = windows.map((w) => Float64Array.from(w));
  const file = join(mkdtempSync(join(tmpdir(), 'millwright-bench-')), 'windows.f64');
  writeFileSync(file, Buffer.concat(arrays.map((a) => Buffer.from(a.buffer))));
  const frames = windows.map((w, i) =>
    frameAt(i + 1, 1000, { vibration: { samples: Buffer.from(w.buffer).toString('base64'), quality: 'GOOD' } }),
  );
  return { from, arrays, frames, file };
};

/**
 * Features of every frame by the path that materialise and devices use.
 * @throws {Error} when a feature is missing: then less was computed than the peer does.
 */
export const throughEngine = (features: readonly FeatureDefinition[], frames: readonly Frame[]) => {
  const compiled = compileFeatureSet(setOf(features), [VIBRATION]);
  return (): readonly (readonly number[])[] => {
    const window = compiled.open();
    return frames.map((frame) => {
      const vector = window.push(frame);
      if (!vector.ok) throw new Error(`frame ${frame.index} has no ${vector.missing.join(', ')}`);
      return vector.x;
    });
  };
};
