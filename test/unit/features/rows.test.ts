import fc from 'fast-check';
import type { FeatureDefinition } from '#core/contracts/feature-set.ts';
import { FeatureRow } from '#core/contracts/feature-set.ts';
import { compileFeatureSet } from '#core/features/engine/compile.ts';
import { materialiseRange, materialiseRun } from '#core/features/engine/rows.ts';
import { aFeatureSet } from './a-feature-set.ts';
import { aFrame, bad, good, SIGNALS } from './a-frame.ts';

const latest: FeatureDefinition = { name: 'now', feature: 'latest', signal: 'level', window: 2, params: {} };
const mean: FeatureDefinition = { name: 'mean', feature: 'mean', signal: 'level', window: 3, params: {} };
const o = {
  featureSet: aFeatureSet(latest, mean),
  signals: SIGNALS,
  label: { outcome: 'remaining-useful-life', from: 'failure', cap: 3, unit: 'h' } as const,
};
const life = [1, 2, 3, 4, 5, 6].map((i) => aFrame(i, { level: good(i * 10) }));

describe('materialiseRun', () => {
  it('gives a row a frame, with features over the frames until then and the capped label', () => {
    const rows = materialiseRun(o, life, 6);
    expect(rows.map((r) => [r.index, r.label, r.x])).toEqual([
      [1, 3, [10, 10]],
      [2, 3, [20, 15]],
      [3, 3, [30, 20]],
      [4, 2, [40, 30]],
      [5, 1, [50, 40]],
      [6, 0, [60, 50]],
    ]);
  });

  it('gives rows that keep the contract', () => {
    for (const row of materialiseRun(o, life, 6)) expect(FeatureRow.parse(row)).toEqual(row);
  });

  it('does not care in which order frames come, or how often', () => {
    expect(materialiseRun(o, [...life.toReversed(), ...life], 6)).toEqual(materialiseRun(o, life, 6));
  });

  it('gives features that do not know what came later', () => {
    const value = fc.oneof(fc.integer({ min: -900, max: 900 }).map(good), fc.constant(bad));
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 20 }), fc.nat(), (values, cut) => {
        const frames = values.map((level, i) => aFrame(i + 1, { level }));
        const until = 1 + (cut % values.length);
        expect(materialiseRun(o, frames, null).filter((r) => r.index <= until)).toEqual(
          materialiseRun(o, frames.slice(0, until), null),
        );
      }),
    );
  });

  it('leaves the label open while the run goes on', () => {
    expect(materialiseRun(o, life, null).every((r) => r.label === null)).toBe(true);
  });

  it('gives no row after the failure', () => {
    expect(materialiseRun(o, life, 4).map((r) => r.index)).toEqual([1, 2, 3, 4]);
  });

  it('gives no row where a feature has no good value in its window', () => {
    const holed = life.map((f) => (f.index === 2 || f.index === 3 ? aFrame(f.index, { level: bad }) : f));
    expect(materialiseRun(o, holed, 6).map((r) => r.index)).toEqual([1, 2, 4, 5, 6]);
  });

  it('gives the numbers that a device computes frame by frame', () => {
    const window = compileFeatureSet(o.featureSet, SIGNALS).open();
    const onDevice = life.map((f) => window.push(f));
    expect(onDevice).toMatchObject(materialiseRun(o, life, 6).map((r) => ({ ok: true, x: r.x })));
  });
});

describe('materialiseRange', () => {
  it('gives the rows of a stretch as the whole run has them, from the frames that they need', () => {
    const whole = materialiseRange(o, life, { first: 1, last: 6 });
    expect(materialiseRange(o, life.slice(1, 5), { first: 4, last: 5 })).toEqual(whole.slice(3, 5));
    expect(materialiseRange(o, life, { first: 4, last: 5 })).toEqual(whole.slice(3, 5));
  });
});

describe('compileFeatureSet', () => {
  it('refuses a set that cannot be computed, naming each problem', () => {
    const set = aFeatureSet({ ...latest, feature: 'medium' }, { ...mean, signal: 'colour' });
    expect(() => compileFeatureSet(set, SIGNALS)).toThrow(
      /the features of set test cannot be computed here: feature now: "medium" is not known.*feature mean: the signal "colour"/,
    );
  });
});
