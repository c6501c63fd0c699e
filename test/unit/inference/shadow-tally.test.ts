import fc from 'fast-check';
import type { Attempt } from '#core/inference/decide.ts';
import { comparable, disagree, ShadowTally } from '#core/inference/shadow-tally.ts';

describe('what two models say', () => {
  test.each<[string, Attempt, number | null | undefined]>([
    ['a number', { kind: 'answer', value: 7 }, 7],
    ['no number', { kind: 'answer', value: Number.NaN }, null],
    ['nothing, for features are missing', { kind: 'missing-features', names: ['x'] }, null],
    ['nothing in time', { kind: 'late', afterMs: 5 }, undefined],
    ['nothing, for its process died', { kind: 'failed', why: 'x' }, undefined],
  ])('%s', (_, attempt, value) => {
    expect(comparable(attempt)).toBe(value);
  });
  test('disagrees beyond the tolerance, or when only one of them has an answer', () => {
    expect(disagree(10, 25, 15)).toBe(false);
    expect(disagree(10, 25.1, 15)).toBe(true);
    expect(disagree(null, 3, 15)).toBe(true);
    expect(disagree(null, null, 15)).toBe(false);
  });
});

describe('the tally', () => {
  test('holds every whole batch of every asset, and no frame twice', () => {
    const frames = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 200 });
    fc.assert(
      fc.property(frames, fc.integer({ min: 1, max: 7 }), (given, batch) => {
        const tally = new ShadowTally(1, batch);
        for (const [asset, isOff] of given) tally.add(asset, isOff ? 10 : 0, 0);
        expect(tally.frames).toBe(given.length);
        for (const { asset, batches } of tally.assets()) {
          const own = given.filter(([a]) => a === asset).map(([, isOff]) => isOff);
          const whole = Math.floor(own.length / batch);
          const off = own.slice(0, whole * batch).filter(Boolean).length;
          expect(batches.reduce((s, n) => s + n, 0)).toBe(whole);
          expect(batches.reduce((s, n, k) => s + n * k, 0)).toBe(off);
        }
      }),
    );
  });
  test('says when a batch is complete', () => {
    const tally = new ShadowTally(1, 2);
    expect([tally.add('a', 0, 0), tally.add('b', 0, 0), tally.add('a', 0, 0)]).toEqual([false, false, true]);
  });
  test('takes thirty assets and stays within what a report has room for', () => {
    const tally = new ShadowTally(1, 50);
    for (let f = 0; f < 50 * 120; f++)
      for (let a = 0; a < 40; a++) tally.add(`asset-with-a-rather-long-name-${'x'.repeat(16)}${a}`, f % 7, 0);
    const assets = tally.assets();
    expect(tally.frames).toBe(30 * 50 * 120);
    expect(assets.length).toBeLessThanOrEqual(30);
    expect(JSON.stringify(assets).length).toBeLessThan(4600);
    const small = new ShadowTally(1, 5);
    for (let a = 0; a < 40; a++) small.add(`asset-${a}`, 0, 0);
    expect(small.assets()).toHaveLength(30);
  });
});
