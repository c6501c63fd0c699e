import { createHash } from 'node:crypto';
import type { Frame } from '#core/contracts/frame.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import type { Feature } from '#core/features/engine/feature.ts';
import { aFeatureSet } from '../unit/features/a-feature-set.ts';
import { aFrame, bad, good, SIGNALS, wave } from '../unit/features/a-frame.ts';

/** What a version of a feature makes of the golden frames; `last` is for people. */
export interface GoldenBits {
  readonly version: number;
  readonly bits: string;
  readonly last: number | null;
}

const FRAMES = 60;
const WINDOWS = [6, 24] as const;

/** Whole numbers below `n`, the same everywhere: no Math.sin, no Math.random. */
const numbers = (seed: number) => {
  let state = seed;
  return (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
};

/** One run with values that are BAD or absent, frames that never came, stretches without change, and two contexts. */
const goldenFrames = (): readonly Frame[] => {
  const next = numbers(7);
  const samples = (): Frame['signals'][string] =>
    next(12) === 0 ? bad : wave(Array.from({ length: 256 }, (_, i) => (next(2000) - 1000) / 64 + ((i * i) % 37)));
  const frames: Frame[] = [];
  let level = 0;
  for (let index = 1; index <= FRAMES; index++) {
    if (next(3) > 0) level += (next(1000) - 500) / 128;
    const signals: Frame['signals'] = {
      level: next(9) === 0 ? bad : good(level),
      speed: next(15) === 0 ? bad : good(600 + next(2400)),
      wave: samples(),
      wave2: samples(),
    };
    if (next(10) > 0) signals['inlet'] = good(level * 99 + next(50));
    if (next(11) > 0) frames.push(aFrame(index, signals, { context: index > 40 ? 'warm-up' : 'production' }));
  }
  return frames;
};

/** The signal that a feature of a kind is tried on. */
export const subjectOf = (feature: Feature): string => (feature.kind === 'waveform' ? 'wave' : 'level');

export const goldenBits = (feature: Feature): GoldenBits => {
  const hash = createHash('sha256');
  let last: number | null = null;
  for (const window of WINDOWS) {
    const { name, version, example = {} } = feature;
    const set = aFeatureSet({
      feature: name,
      signal: subjectOf(feature),
      window,
      params: { ...example } as never,
      version,
    });
    const it = compileFeatureSet(set, SIGNALS).open();
    for (const frame of goldenFrames()) {
      const vector = it.push(frame);
      last = vector.ok ? (vector.x[0] as number) : null;
      hash.update(vector.ok ? Buffer.from(Float64Array.from(vector.x).buffer) : 'missing');
    }
  }
  return { version: feature.version, bits: hash.digest('hex').slice(0, 32), last };
};
