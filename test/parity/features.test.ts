import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import type { Feature } from '#core/features/engine/feature.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { cosineTable } from '#core/features/kernel/cosine-table.ts';
import { aFeatureSet } from '../unit/features/a-feature-set.ts';
import { aFrame, good, SIGNALS, wave } from '../unit/features/a-frame.ts';

const root = path.join(__dirname, '../..');
const python = path.join(root, '.venv/bin/python');
const RATE = 5120;
const SAMPLES = 256;
const WINDOW = 512;
/** Index of the newest frame: hours since the start of 2026. */
const NEWEST = 600;

/** Repeatable numbers in −1…1, with float32 precision so that frames carry them exactly. */
const numbers = (seed: number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  };
};

/** Parameters beside the example that a feature gives. */
const PARAMS: Record<string, FeatureDefinition['params'][]> = {
  quantile: [{ q: 0 }, { q: 0.05 }, { q: 0.5 }, { q: 0.9 }, { q: 1 }],
  lag: [{ frames: 1 }, { frames: 5 }],
  'counter-increase': [{}, { wrap: 64 }],
  'calendar-cosine': [{ hours: 24 }, { hours: 168, offsetMinutes: -90 }],
  'calendar-sine': [{ hours: 24 }, { hours: 168, offsetMinutes: 345 }],
  'regime-deviation': [
    {
      by: ['speed', 'inlet'],
      centres: [1500, 0, 2500, 10, 2000, 5],
      scales: [100, 4],
      means: [1, 5, 2],
      stds: [0.5, 2, 9],
    },
  ],
  'decayed-std': [{ decay: 0.9 }, { decay: 1 }],
  'decayed-mean': [{ decay: 0.9 }, { decay: 1 }, { decay: 0.5 }],
  'order-band': [
    { order: 1, speed: 'speed' },
    { order: 3.585, speed: 'speed' },
    { order: 200, speed: 'speed' },
  ],
  'waveform-quantile': [{ q: 0 }, { q: 0.5 }, { q: 0.99 }, { q: 1 }],
  'band-rms': [
    { low: 0, high: RATE },
    { low: 99.5, high: 1000 },
    { low: 0.5, high: 12.5, speed: 'speed' },
  ],
  'envelope-band-rms': [
    { low: 0, high: RATE },
    { low: 3, high: 8, speed: 'speed' },
  ],
  'velocity-rms': [
    { low: 10, high: 1000 },
    { low: 0, high: RATE },
    { low: 0.5, high: 12.5, speed: 'speed' },
  ],
  coherence: [
    { with: 'wave2', low: 100, high: 1000, segment: 64 },
    { with: 'wave2', low: 0, high: RATE, segment: 32 },
    { with: 'wave2', low: 2, high: 30, speed: 'speed', segment: 128 },
  ],
  'envelope-order': [
    { order: 1, speed: 'speed' },
    { order: 3.585, speed: 'speed' },
  ],
};

const cases = Object.values(FEATURES).flatMap((feature) =>
  (PARAMS[feature.name] ?? [(feature.example ?? {}) as FeatureDefinition['params']]).flatMap((params) =>
    [1, 2, 3, 4].map((seed) => {
      const next = numbers(seed);
      const length = feature.kind === 'waveform' ? SAMPLES : 9 + 10 * seed;
      // A sensor may have an offset; of no frequency it says anything.
      const offset = feature.kind === 'waveform' && seed % 2 === 0 ? 200 : 0;
      const made = () =>
        Array.from({ length }, (_, i) =>
          Math.fround(offset + 10 * next() + 5 * Math.sin(i * 0.7) + (i % 37 === 0 ? 40 : 0)),
        );
      const values = made();
      const others = made();
      // Every seventh frame was lost on the way.
      const ages = values.map((_, i) => Math.floor(((length - 1 - i) * 7) / 6));
      const speeds = values.map((_, i) => 1200 + ((311 * seed * (i + 1)) % 1700));
      return {
        feature: feature.name,
        kind: feature.kind,
        params,
        values,
        others,
        ages,
        rate: RATE,
        speeds,
        window: WINDOW,
      };
    }),
  ),
);

const computed = (it: (typeof cases)[number]): number => {
  const isWaveform = it.kind === 'waveform';
  const { version } = FEATURES[it.feature] as Feature;
  const set = aFeatureSet({
    feature: it.feature,
    signal: isWaveform ? 'wave' : 'level',
    window: isWaveform ? 1 : WINDOW,
    params: it.params,
    version,
  });
  const frames = isWaveform
    ? [aFrame(1, { wave: wave(it.values), wave2: wave(it.others), speed: good(it.speeds[0] as number) })]
    : it.values.map((v, i) =>
        aFrame(NEWEST - (it.ages[i] as number), {
          level: good(v),
          inlet: good(it.others[i] as number),
          speed: good(it.speeds[i] as number),
        }),
      );
  const window = compileFeatureSet(set, SIGNALS).open();
  const vector = frames.map((f) => window.push(f)).at(-1);
  if (!vector?.ok) throw new Error(`${it.feature} is missing`);
  return vector.x[0] as number;
};

const where = existsSync(python) ? describe : describe.skip;
if (!existsSync(python)) console.warn('skipped: parity with numpy and scipy needs .venv');

where('features by numpy and scipy', () => {
  it('are the same to one part in 1e9', () => {
    const { stdout, stderr, status } = spawnSync(python, [path.join(__dirname, 'reference.py')], {
      input: cases.map((c) => JSON.stringify(c)).join('\n'),
      encoding: 'utf8',
      env: { ...process.env, OPENBLAS_NUM_THREADS: '1' },
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const expected = stdout.trim().split('\n').map(Number);
    expect(expected.length).toBe(cases.length);
    const far = cases
      .map((it, i) => ({ feature: it.feature, params: it.params, got: computed(it), expected: expected[i] as number }))
      .filter((r) => !(Math.abs(r.got - r.expected) <= 1e-9 * Math.max(1e-3, Math.abs(r.expected))));
    expect(far).toEqual([]);
  });
});

it.each([4, 8, 64, 512, 4096])('the table of cosines, size %i, is that of the engine but for last bits', (size) => {
  const far = [...cosineTable(size)].filter((c, k) => Math.abs(c - Math.cos((2 * Math.PI * k) / size)) > 1e-15);
  expect(far).toEqual([]);
});
