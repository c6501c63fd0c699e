import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { FeatureSet } from '#core/contracts/feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { cosineTable } from '#core/features/kernel/spectrum.ts';
import { aFrame, good, SIGNALS, wave } from '../unit/features/a-frame.ts';

const root = path.join(__dirname, '../..');
const python = path.join(root, '.venv/bin/python');
const RATE = 5120;
const SAMPLES = 256;

/** Repeatable numbers in −1…1, with float32 precision so that frames carry them exactly. */
const numbers = (seed: number) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  };
};

const PARAMS: Record<string, { [name: string]: number | string }[]> = {
  'decayed-mean': [{ decay: 0.9 }, { decay: 1 }, { decay: 0.5 }],
  'order-band': [
    { order: 1, speed: 'speed' },
    { order: 3.585, speed: 'speed' },
    { order: 200, speed: 'speed' },
  ],
  'envelope-order': [
    { order: 1, speed: 'speed' },
    { order: 3.585, speed: 'speed' },
  ],
};

const cases = Object.values(FEATURES).flatMap((feature) =>
  (PARAMS[feature.name] ?? [{}]).flatMap((params) =>
    [1, 2, 3, 4].map((seed) => {
      const next = numbers(seed);
      const length = feature.kind === 'scalar' ? 9 + 10 * seed : SAMPLES;
      // A sensor may have an offset; of no frequency it says anything.
      const offset = feature.kind === 'waveform' && seed % 2 === 0 ? 200 : 0;
      const values = Array.from({ length }, (_, i) =>
        Math.fround(offset + 10 * next() + 5 * Math.sin(i * 0.7) + (i % 37 === 0 ? 40 : 0)),
      );
      // Every seventh frame was lost on the way.
      const ages = values.map((_, i) => Math.floor(((length - 1 - i) * 7) / 6));
      return { feature: feature.name, kind: feature.kind, params, values, ages, rate: RATE, speed: 1200 + 311 * seed };
    }),
  ),
);

const computed = (it: (typeof cases)[number]): number => {
  const set: FeatureSet = {
    schema: 'feature-set/1',
    id: 'parity',
    owner: 'test',
    description: 'one feature',
    features: [
      {
        name: 'it',
        feature: it.feature,
        signal: it.kind === 'scalar' ? 'level' : 'wave',
        window: it.kind === 'scalar' ? 512 : 1,
        params: it.params,
        version: FEATURES[it.feature]?.version ?? 1,
      },
    ],
  };
  const frames =
    it.kind === 'scalar'
      ? it.values.map((v, i) => aFrame(600 - (it.ages[i] as number), { level: good(v) }))
      : [aFrame(1, { wave: wave(it.values), speed: good(it.speed) })];
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
