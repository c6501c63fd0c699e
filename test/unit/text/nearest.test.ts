import fc from 'fast-check';
import { distance, nearestOf } from '#core/text/nearest.ts';

describe('the distance of two texts', () => {
  it.each([
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['same', 'same', 0],
  ])('%s and %s is %d', (a, b, expected) => expect(distance(a, b)).toBe(expected));

  it('is a metric', () => {
    const text = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') });
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(distance(a, b)).toBe(distance(b, a));
        expect(distance(a, b) === 0).toBe(a === b);
        expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
      }),
    );
  });
});

describe('the nearest of several texts', () => {
  it('is the one with the fewest changes, whatever its case', () =>
    expect(nearestOf('SPINDEL-101', ['spindle-102', 'spindle-101', 'pump-101'])).toBe('spindle-101'));
  it('is none where more than a third would have to change', () => expect(nearestOf('roof', ['hall'])).toBeUndefined());
  it('is none of a text that is too long to be a name', () =>
    expect(nearestOf('a'.repeat(65), ['a'.repeat(65)])).toBeUndefined());
});
