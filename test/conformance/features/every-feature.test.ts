import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { FeatureDefinition, FeatureSet } from '#core/contracts/feature-set.ts';
import type { Frame, SignalValue } from '#core/contracts/frame.ts';
import { checkFeatureSet } from '#core/features/engine/check-feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import type { Feature, Params } from '#core/features/engine/feature.ts';
import { LATENESS_FRAMES } from '#core/features/engine/feature-window.ts';
import { FEATURES } from '#core/features/engine/registry.ts';
import { materialiseRange } from '#core/features/engine/rows.ts';
import { featureTable, GOLDEN, goldenOf, registrySource } from '../../../scripts/feature-files.ts';
import { subjectOf } from '../../support/feature-golden.ts';
import { aFeatureSet } from '../../unit/features/a-feature-set.ts';
import { aFrame, bad, good, SIGNALS, wave } from '../../unit/features/a-frame.ts';

const root = path.join(__dirname, '../../..');
const files = readdirSync(path.join(root, 'core/features')).filter((f) => f.endsWith('.ts'));
const names = files.map((f) => f.replace(/\.ts$/, ''));
const WINDOW = 6;

const featureOf = (name: string): Feature => FEATURES[name] as Feature;
const exampleOf = (name: string): FeatureDefinition['params'] =>
  structuredClone(featureOf(name).example ?? {}) as never;
const setOf = (name: string, over: Partial<FeatureDefinition> = {}): FeatureSet =>
  aFeatureSet({
    name: 'it',
    feature: name,
    signal: subjectOf(featureOf(name)),
    window: WINDOW,
    params: exampleOf(name),
    version: featureOf(name).version,
    ...over,
  });

/** What the last of some frames, in the order in which they came, says. */
const last = (name: string, frames: readonly Frame[], signals = SIGNALS, set = setOf(name)) => {
  const window = compileFeatureSet(set, signals).open();
  return frames.map((frame) => window.push(frame)).at(-1);
};
const valueIn = (name: string, frames: readonly Frame[], set = setOf(name)): number | undefined => {
  const vector = last(name, frames, SIGNALS, set);
  return vector?.ok ? vector.x[0] : undefined;
};

/** Waveforms by a number: one of 256 samples is too long to be made up sample by sample. */
const waveOf = (seed: number): SignalValue => {
  if (seed % 8 === 0) return bad;
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 16) % 900;
  };
  return wave(Array.from({ length: 256 }, () => (seed % 8 === 1 ? seed % 3 : next() - 450)));
};
const scalar = (limit: number): fc.Arbitrary<SignalValue> =>
  fc.oneof(
    fc.double({ min: -limit, max: limit, noNaN: true }).map(good),
    fc.integer({ min: -2, max: 3 }).map(good),
    fc.constant(bad),
  );
const signals = fc.record({
  level: scalar(500),
  inlet: scalar(50_000),
  speed: fc.oneof(fc.integer({ min: 0, max: 3000 }).map(good), fc.constant(bad)),
  wave: fc.nat(1_000_000).map(waveOf),
  wave2: fc.nat(1_000_000).map(waveOf),
});
const inOrder = (all: readonly Frame['signals'][], first = 1) => all.map((s, i) => aFrame(first + i, s));
const frames = fc.array(signals, { minLength: 1, maxLength: 12 }).map((all) => inOrder(all));
/** A run as it comes from a line: frames are lost, and now and then the context is another. */
const run = fc
  .array(fc.record({ signals, lost: fc.nat(7), context: fc.constantFrom('a', 'a', 'a', 'a', 'a', 'b') }), {
    minLength: 1,
    maxLength: 20,
  })
  .map((all) => all.flatMap((f, i) => (f.lost === 0 ? [] : [aFrame(i + 1, f.signals, { context: f.context })])))
  .filter((all) => all.length > 0);
const runs = { numRuns: 25 };

describe('the features', () => {
  it('are in the registry, each file under its name (npm run features)', () => {
    const written = readFileSync(path.join(root, 'core/features/engine/registry.ts'), 'utf8');
    expect(written).toBe(registrySource(files));
    expect(Object.values(FEATURES).map((f) => f.name)).toEqual(Object.keys(FEATURES));
  });

  it('are in docs/features.md as they say of themselves (npm run features)', () => {
    expect(readFileSync(path.join(root, 'docs/features.md'), 'utf8')).toContain(featureTable(FEATURES));
  });

  it('give the golden bits of their version (npm run features)', () => {
    const golden = JSON.parse(readFileSync(path.join(root, GOLDEN), 'utf8'));
    expect(goldenOf(FEATURES, golden)).toEqual(golden);
  });

  it('may not give other bits without another version', () => {
    const { mean } = FEATURES as { mean: Feature };
    const other = { mean: { version: mean.version, bits: '0', last: 0 } };
    expect(() => goldenOf({ mean }, other)).toThrow(
      /version 1 of mean gives other bits than those in .*: raise its version/,
    );
    expect(goldenOf({ mean }, { mean: { ...other.mean, version: mean.version + 1 } })['mean']).toMatchObject({
      version: mean.version,
    });
  });
});

describe.each(names)('feature %s', (name) => {
  const feature = featureOf(name);

  it('gives the same bits for the same frames', () => {
    fc.assert(
      fc.property(frames, (all) => {
        expect(last(name, structuredClone(all))).toStrictEqual(last(name, all));
      }),
      runs,
    );
  });

  it('is a finite number or missing, never NaN', () => {
    fc.assert(
      fc.property(run, (all) => {
        const vector = last(name, all);
        if (vector?.ok) expect(vector.x.every(Number.isFinite)).toBe(true);
        else expect(vector?.missing).toEqual(['it']);
      }),
      runs,
    );
  });

  it('gives the same rows frame by frame, at once, and from any row on', () => {
    fc.assert(
      fc.property(run, fc.nat(), (all, n) => {
        const set = setOf(name);
        const o = { featureSet: set, signals: SIGNALS };
        const newest = (all.at(-1) as Frame).index;
        const whole = materialiseRange(o, all, { first: 1, last: newest });
        const window = compileFeatureSet(set, SIGNALS).open();
        const streamed = all.flatMap((frame) => {
          const vector = window.push(frame);
          return vector.ok ? [{ index: frame.index, x: vector.x }] : [];
        });
        expect(streamed).toStrictEqual(whole.map(({ index, x }) => ({ index, x })));
        const cut = 1 + (n % newest);
        const warm = (first: number) => all.filter((f) => f.index > first - WINDOW);
        const shards = [
          ...materialiseRange(o, warm(1), { first: 1, last: cut - 1 }),
          ...materialiseRange(o, warm(cut), { first: cut, last: newest }),
        ];
        expect(shards).toStrictEqual(whole);
        const restarted = compileFeatureSet(set, SIGNALS).open();
        for (const frame of all.filter((f) => f.index < cut).slice(1 - WINDOW)) restarted.remember(frame);
        const after = all.filter((f) => f.index >= cut).map((frame) => restarted.push(frame));
        const again = compileFeatureSet(set, SIGNALS).open();
        expect(after).toStrictEqual(all.map((frame) => again.push(frame)).slice(all.length - after.length));
      }),
      runs,
    );
  });

  it('does not see frames older than its window', () => {
    fc.assert(
      fc.property(frames, fc.array(signals, { minLength: WINDOW, maxLength: 10 }), (older, newer) => {
        const shifted = inOrder(newer, older.length + 1);
        expect(last(name, [...older, ...shifted])).toStrictEqual(last(name, shifted));
      }),
      runs,
    );
  });

  it.each([
    ['run', { run: 'life-00' }],
    ['context', { context: 'warm-up' }],
  ])('does not see frames of another %s', (_, over) => {
    fc.assert(
      fc.property(frames, frames, (others, own) => {
        const before = others.map((f) => ({ ...f, ...over }));
        const shifted = own.map((f) => ({ ...f, index: f.index + others.length }));
        expect(valueIn(name, [...before, ...shifted])).toBe(valueIn(name, shifted));
      }),
      runs,
    );
  });

  it('is the same when frames come late, within the bound', () => {
    fc.assert(
      fc.property(run, fc.infiniteStream(fc.nat(LATENESS_FRAMES - 1)), signals, (all, late, newest) => {
        const delayed = all.map((frame) => ({ frame, at: frame.index + (late.next().value as number) }));
        const mixed = delayed.sort((a, b) => a.at - b.at).map(({ frame }) => frame);
        const end = aFrame((all.at(-1) as Frame).index + 1, newest, { context: 'a' });
        expect(last(name, [...mixed, end])).toStrictEqual(last(name, [...all, end]));
      }),
      runs,
    );
  });

  it('does not depend on the order of signals', () => {
    fc.assert(
      fc.property(frames, (all) => {
        const turned = all.map((f) => ({ ...f, signals: Object.fromEntries(Object.entries(f.signals).reverse()) }));
        expect(last(name, turned, [...SIGNALS].reverse())).toStrictEqual(last(name, all));
      }),
      runs,
    );
  });

  it('takes what is BAD, absent, out of range, not finite or a waveform cut short for the same', () => {
    const unusable = (signal: string): readonly SignalValue[] =>
      signal.startsWith('wave')
        ? [bad, wave([1, 2, 3, 4]), wave(new Array(256).fill(Number.NaN)), wave(new Array(256).fill(1e9))]
        : [bad, good(Number.NaN), good(Number.POSITIVE_INFINITY), good(-1e9), { value: 1, quality: 'BAD' }];
    fc.assert(
      fc.property(frames, fc.nat(), (all, n) => {
        const change = (how: (signal: string) => SignalValue | undefined) =>
          all.map((f) => ({
            ...f,
            signals: Object.fromEntries(
              Object.entries(f.signals).flatMap(([signal, value]) => {
                const given = value.quality === 'BAD' ? how(signal) : value;
                return given === undefined ? [] : [[signal, given]];
              }),
            ),
          }));
        const without = change(() => undefined);
        const one = change((signal) => unusable(signal)[n % unusable(signal).length]);
        expect(last(name, one)).toStrictEqual(last(name, without));
      }),
      runs,
    );
  });

  it('takes an earlier frame without a good value for one that never came', () => {
    fc.assert(
      fc.property(frames, (all) => {
        const signal = subjectOf(feature);
        const without = all.filter((f, i) => i === all.length - 1 || f.signals[signal]?.quality !== 'BAD');
        expect(valueIn(name, without)).toBe(valueIn(name, all));
      }),
      runs,
    );
  });

  it('is missing when its window holds no good value, unless it says that it never is', () => {
    const all = [1, 2, 3].map((i) => aFrame(i, { level: bad, speed: good(1500), wave: bad }));
    expect(feature.missing).toMatch(/\w.*\.$/);
    expect(valueIn(name, all) === undefined).toBe(!/never missing/i.test(feature.missing));
  });

  it('says which parameters it has: with others, or none where it needs them, it is no feature', () => {
    const change = (params: Params): FeatureSet => setOf(name, { params: params as FeatureDefinition['params'] });
    expect(checkFeatureSet(setOf(name), SIGNALS)).toEqual([]);
    const kinds = Object.entries(feature.params);
    const needed = kinds.filter(([, kind]) => !kind.startsWith('optional'));
    expect(checkFeatureSet(change({}), SIGNALS)).toHaveLength(needed.length);
    for (const [param] of kinds)
      expect(checkFeatureSet(change({ ...exampleOf(name), [param]: true }), SIGNALS)).toHaveLength(1);
    expect(checkFeatureSet(change({ ...exampleOf(name), other: 1 }), SIGNALS)).toEqual([
      `feature it: ${name} has no parameter "other"`,
    ]);
  });

  it('is refused where a set was defined by another version of it', () => {
    const [problem] = checkFeatureSet(setOf(name, { version: feature.version + 1 }), SIGNALS);
    expect(problem).toContain(`it is defined by version ${feature.version + 1} of ${name}, this code computes`);
  });

  it('says what it is', () => {
    expect(feature.says).toMatch(/\w.*\.$/);
  });

  it('follows the unit that it says when everything in the unit of its signal is multiplied by 4', () => {
    const own = SIGNALS.find((s) => s.name === subjectOf(feature))?.unit as string;
    const unit = feature.unit(own, exampleOf(name), (n) => (n.startsWith('wave') || n === 'inlet' ? own : '1/min'));
    // 4 is exact in binary: nothing may differ but the exponent.
    const factor = unit.includes(`(${own})2`) ? 16 : unit.includes(own) ? 4 : 1;
    const scaledParams = (by: number): FeatureDefinition['params'] =>
      Object.fromEntries(
        Object.entries(exampleOf(name)).map(([param, value]) => {
          const kind = feature.params[param];
          if (kind === 'level') return [param, (value as number) * by];
          return [param, kind === 'levels' ? (value as number[]).map((v) => v * by) : value];
        }),
      );
    const level = [3, -1, 4, 1, -5, 9];
    const samples = (k: number) => Array.from({ length: 256 }, (_, i) => ((i * i * (k + 7)) % 97) - 48);
    const at = (by: number) =>
      valueIn(
        name,
        level.map((v, k) =>
          aFrame(k + 1, {
            level: good(v * by),
            inlet: good((k * k - 3) * 25 * by),
            speed: good(1500 + 100 * ((k * k) % 5)),
            wave: wave(samples(k).map((s) => s * by)),
            wave2: wave(samples(k + 3).map((s) => s * by)),
          }),
        ),
        setOf(name, { params: scaledParams(by) }),
      );
    expect(at(1)).toBeDefined();
    expect(at(4)).toBe((at(1) as number) * factor);
  });
});
