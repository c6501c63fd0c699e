import { readdirSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { FeatureDefinition, FeatureSet } from '#core/contracts/feature-set.ts';
import type { Frame } from '#core/contracts/frame.ts';
import { checkFeatureSet } from '#core/features/engine/check-feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { aFrame, bad, good, SIGNALS, wave } from '../../unit/features/a-frame.ts';

const PARAMS: Record<string, FeatureDefinition['params']> = {
  'decayed-mean': { decay: 0.9 },
  'order-band': { order: 2, speed: 'speed' },
  'envelope-order': { order: 3.5, speed: 'speed' },
};
const WINDOW = 6;

const setOf = (feature: string): FeatureSet => ({
  schema: 'feature-set/1',
  id: 'test',
  owner: 'test',
  description: 'one feature',
  features: [
    {
      name: 'it',
      feature,
      signal: FEATURES[feature]?.kind === 'scalar' ? 'level' : 'wave',
      window: WINDOW,
      params: PARAMS[feature] ?? {},
      version: FEATURES[feature]?.version ?? 1,
    },
  ],
});

const compute = (feature: string, frames: readonly Frame[], signals = SIGNALS) => {
  const window = compileFeatureSet(setOf(feature), signals).open();
  let vector = window.push(frames[0] as Frame);
  for (const frame of frames.slice(1)) vector = window.push(frame);
  return vector;
};

const value = fc.double({ min: -500, max: 500, noNaN: true });
const signalsOfAFrame = fc.record({
  level: fc.oneof(value.map(good), fc.constant(bad)),
  speed: fc.integer({ min: 600, max: 3000 }).map(good),
  wave: fc.oneof(
    fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 256, maxLength: 256 }).map(wave),
    fc.constant(bad),
  ),
});
const frames = fc
  .array(signalsOfAFrame, { minLength: 1, maxLength: 12 })
  .map((all) => all.map((signals, i) => aFrame(i + 1, signals)));

const files = readdirSync(path.join(__dirname, '../../../core/features'))
  .filter((f) => f.endsWith('.ts'))
  .map((f) => f.replace(/\.ts$/, ''));

it('finds every feature file in the registry under its own name, and nothing else', () => {
  expect(Object.keys(FEATURES).sort()).toEqual(files.sort());
});

describe.each(files)('feature %s', (name) => {
  const runs = { numRuns: 40 };

  it('gives the same bits for the same frames', () => {
    fc.assert(
      fc.property(frames, (all) => {
        expect(compute(name, structuredClone(all))).toStrictEqual(compute(name, all));
      }),
      runs,
    );
  });

  it('is a finite number or missing, never NaN', () => {
    fc.assert(
      fc.property(frames, (all) => {
        const vector = compute(name, all);
        if (vector.ok) expect(vector.x.every(Number.isFinite)).toBe(true);
        else expect(vector.missing).toEqual(['it']);
      }),
      runs,
    );
  });

  it('does not see frames older than its window', () => {
    fc.assert(
      fc.property(frames, frames, (older, newer) => {
        fc.pre(newer.length >= WINDOW);
        const shifted = newer.map((f) => ({ ...f, index: f.index + older.length }));
        expect(compute(name, [...older, ...shifted])).toStrictEqual(compute(name, shifted));
      }),
      runs,
    );
  });

  it('does not depend on the order of signals', () => {
    fc.assert(
      fc.property(frames, (all) => {
        const turned = all.map((f) => ({ ...f, signals: Object.fromEntries(Object.entries(f.signals).reverse()) }));
        expect(compute(name, turned, [...SIGNALS].reverse())).toStrictEqual(compute(name, all));
      }),
      runs,
    );
  });

  it('leaves BAD values out as if the frame had not brought them', () => {
    fc.assert(
      fc.property(frames, (all) => {
        const signal = FEATURES[name]?.kind === 'scalar' ? 'level' : 'wave';
        const without = all.map((f) => {
          const { [signal]: it, ...rest } = f.signals;
          return it?.quality === 'BAD' ? { ...f, signals: rest } : f;
        });
        expect(compute(name, without)).toStrictEqual(compute(name, all));
      }),
      runs,
    );
  });

  it('is missing when its window holds no good value', () => {
    const all = [1, 2, 3].map((i) => aFrame(i, { level: bad, speed: good(1500), wave: bad }));
    expect(compute(name, all)).toEqual({ ok: false, missing: ['it'] });
  });

  it('says which parameters it has: with others, or none where it needs them, it is no feature', () => {
    expect(checkFeatureSet(setOf(name), SIGNALS)).toEqual([]);
    const [definition] = setOf(name).features as [FeatureDefinition];
    const change = (params: FeatureDefinition['params']): FeatureSet => ({
      ...setOf(name),
      features: [{ ...definition, params }],
    });
    const needed = Object.entries(FEATURES[name]?.params ?? {}).filter(([, kind]) => kind !== 'optional-number');
    expect(checkFeatureSet(change({}), SIGNALS)).toHaveLength(needed.length);
    for (const [param] of Object.entries(FEATURES[name]?.params ?? {}))
      expect(checkFeatureSet(change({ ...definition.params, [param]: true }), SIGNALS)).toHaveLength(1);
    expect(checkFeatureSet(change({ ...definition.params, other: 1 }), SIGNALS)).toEqual([
      `feature it: ${name} has no parameter "other"`,
    ]);
  });

  it('says what it is', () => {
    expect(FEATURES[name]?.says).toMatch(/\w.*\.$/);
  });
});

/** How a feature answers when its signal is multiplied by 4 (exact in binary). */
const SCALING: Record<string, 'proportional' | 'invariant'> = {
  latest: 'proportional',
  mean: 'proportional',
  std: 'proportional',
  slope: 'proportional',
  'decayed-mean': 'proportional',
  rms: 'proportional',
  'order-band': 'proportional',
  'envelope-order': 'proportional',
  kurtosis: 'invariant',
  'crest-factor': 'invariant',
};

it.each(files)('feature %s follows its law of scaling', (name) => {
  const level = [3, -1, 4, 1, -5, 9];
  const samples = (k: number) => Array.from({ length: 256 }, (_, i) => ((i * i * (k + 7)) % 97) - 48);
  const at = (factor: number) =>
    compute(
      name,
      level.map((v, k) =>
        aFrame(k + 1, { level: good(v * factor), speed: good(1500), wave: wave(samples(k).map((s) => s * factor)) }),
      ),
    );
  const one = at(1);
  const four = at(4);
  if (!one.ok || !four.ok) throw new Error('both must be computable');
  expect(four.x[0]).toBe((one.x[0] as number) * (SCALING[name] === 'proportional' ? 4 : 1));
  expect(SCALING[name]).toBeDefined();
});
