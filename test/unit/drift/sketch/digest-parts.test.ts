import fc from 'fast-check';
import { FeatureDigest } from '#core/contracts/device.ts';
import { digestParts, sketchesOf, windowOfParts } from '#core/drift/sketch/digest-parts.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { windowsOf } from '../../../support/baselines.ts';

const NAMES = Array.from({ length: 120 }, (_, i) => `feature_${i}_of_the_spindle`);
const wide = windowsOf(NAMES);

describe('a window in parts', () => {
  it('is the same window again, in whatever order and however often its parts come', () => {
    fc.assert(
      fc.property(wide, fc.infiniteStream(fc.nat()), (window, chance) => {
        const parts = digestParts(window);
        const numbers = [...chance.take(parts.length * 2)];
        const shuffled = [...parts, ...parts]
          .map((part, i) => ({ part, by: numbers[i] as number }))
          .sort((a, b) => a.by - b.by)
          .map(({ part }) => part);
        expect(canonicalJson(windowOfParts(shuffled))).toBe(canonicalJson(window));
      }),
      { numRuns: 20 },
    );
  });
  it('fits the messages of a device, each a contract of its own', () => {
    fc.assert(
      fc.property(wide, (window) => {
        const parts = digestParts(window);
        expect(parts.length).toBeGreaterThan(1);
        for (const [i, part] of parts.entries()) {
          expect(FeatureDigest.parse(part)).toMatchObject({ part: i, parts: parts.length });
          expect(Buffer.byteLength(JSON.stringify(part))).toBeLessThanOrEqual(6500);
        }
      }),
      { numRuns: 20 },
    );
  });
  it('is not whole before each part has come', () => {
    const [window] = fc.sample(wide, 1);
    const parts = digestParts(window as NonNullable<typeof window>);
    expect(windowOfParts([])).toBeNull();
    expect(windowOfParts(parts.slice(1))).toBeNull();
  });
  it.each([
    ['of another window', { windowStart: 9 }, 'a part of another window came with its parts'],
    ['with another content', { sketches: [['a', 'AA==']] as [string, string][] }, 'part 0 has two contents'],
  ])('refuses a part %s', (_, change, why) => {
    const [window] = fc.sample(windowsOf(['speed']), 1);
    const [part] = digestParts({ ...(window as NonNullable<typeof window>), windowStart: 1, windowEnd: 99 });
    expect(() => windowOfParts([part as FeatureDigest, { ...(part as FeatureDigest), ...change }])).toThrow(why);
  });
  it('refuses a part beyond those there are', () => {
    const [window] = fc.sample(windowsOf(['speed']), 1);
    const [part] = digestParts(window as NonNullable<typeof window>);
    expect(() => windowOfParts([{ ...(part as FeatureDigest), part: 1 }])).toThrow('expected parts 0 … 0, got 1');
  });
  it('refuses a sketch that cannot be read', () => {
    expect(() => sketchesOf({ sketches: [['speed', 'AQ==']] })).toThrow(
      'feature digest does not match its contract: the packed sketch of speed cannot be read',
    );
  });
});
