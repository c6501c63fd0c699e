import fc from 'fast-check';
import type { DriftWindow } from '#core/contracts/drift.ts';
import { WindowConflict, WindowSet } from '#core/drift/sketch/merge.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { windowsOf } from '../../../support/baselines.ts';

const nameOf = (w: DriftWindow): string => [w.device, w.boot, w.windowStart].join('/');
/** Windows with names of their own. */
const several = fc.uniqueArray(windowsOf(['speed', 'load']), { selector: nameOf, minLength: 1, maxLength: 12 });
const bytesOf = (set: WindowSet): string => canonicalJson([set.toJSON(), set.total()]);
const [one] = fc.sample(windowsOf(['speed']), 1) as [DriftWindow];

describe('a set of windows', () => {
  it('has the same bytes in any order, any grouping and however often a window comes', () => {
    fc.assert(
      fc.property(several, fc.infiniteStream(fc.nat()), (windows, chance) => {
        const next = (below: number): number => (chance.next().value as number) % below;
        const twice = [...windows, ...windows.filter(() => next(2) === 0)];
        const shuffled = twice.map((w) => ({ w, by: next(1e6) })).sort((a, b) => a.by - b.by);
        const groups = Map.groupBy(shuffled, () => next(4));
        const sets = [...groups.values()].map((of) =>
          of.reduce((s, { w }) => s.update(structuredClone(w)), WindowSet.of([])),
        );
        const merged = sets.reduce((a, b) => (next(2) === 0 ? a.merge(b) : b.merge(a)));
        expect(bytesOf(merged)).toBe(bytesOf(WindowSet.of(windows)));
      }),
    );
  });
  it('says together what its windows say', () => {
    fc.assert(
      fc.property(several, (windows) => {
        const total = WindowSet.of(windows).total();
        expect(total.rows).toBe(windows.reduce((sum, w) => sum + w.rows, 0));
        expect(total.windows).toHaveLength(windows.length);
        expect(total.from).toBe(windows.map((w) => w.from).sort()[0]);
        expect(total.to).toBe(
          windows
            .map((w) => w.to)
            .sort()
            .at(-1),
        );
        expect(total.assets).toEqual([...new Set(windows.flatMap((w) => w.assets))].sort());
        for (const [i, f] of total.features.entries())
          expect(f.z).toBe(windows.reduce((sum, w) => sum + (w.features[i]?.z as number), 0));
      }),
    );
  });
  it('is empty when it is reset', () => {
    expect(WindowSet.of([one]).reset().toJSON()).toEqual([]);
    expect(() => WindowSet.of([]).total()).toThrow('no window to merge: expected one at least');
  });
  it('refuses two contents of one name', () => {
    const changed = { ...one, rows: one.rows + 1 };
    expect(() => WindowSet.of([one, changed])).toThrow(WindowConflict);
    expect(() => WindowSet.of([one]).merge(WindowSet.of([changed]))).toThrow('came with two contents');
  });
  it.each([
    ['model lines', { modelLine: 'test-case/plant-b' }, 'windows of modelLine test-case/plant-a and test-case/plant-b'],
    ['packages', { packageDigest: `sha256:${'e'.repeat(64)}` }, 'windows of packageDigest'],
    ['contexts', { context: 'recipe-b' }, 'windows of context default and recipe-b'],
    ['features', { features: [...one.features, ...one.features] }, 'windows of 1 and of 2 features are not merged'],
    ['numbers of features', { features: [] }, 'windows of 1 and of 0 features are not merged'],
  ])('does not add windows of different %s', (_, change, why) => {
    const other = { ...one, windowStart: one.windowStart + 1, ...change };
    expect(() => WindowSet.of([one, other]).total()).toThrow(why);
  });
});
