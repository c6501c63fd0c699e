import fc from 'fast-check';
import { packSketch, unpackSketch } from '#core/drift/sketch/pack.ts';
import { windowsOf } from '../../../support/baselines.ts';

const sums = { n: 204, z: -5, zz: 900, lag: 12, lagged: 203, longest: 3, changes: 190 };
const sketch = { name: 'speed', counts: [1, 200, 3], ...sums, min: -1.5, max: 2 };

describe('a packed sketch', () => {
  it('is read as it was', () => {
    fc.assert(
      fc.property(windowsOf(['speed']), ({ features: [given] }) => {
        expect(unpackSketch('speed', packSketch(given as NonNullable<typeof given>))).toEqual(given);
      }),
    );
  });
  it('takes sums up to the integers that a double has', () => {
    const large = { ...sketch, zz: Number.MAX_SAFE_INTEGER, z: 2 ** 52 - 1, lag: -(2 ** 52) + 1 };
    expect(unpackSketch('speed', packSketch(large))).toEqual(large);
    expect(() => packSketch({ ...sketch, zz: 2 ** 53 })).toThrow('expected a whole number that is 0 at least');
    expect(() => packSketch({ ...sketch, n: -1 })).toThrow('got -1');
  });
  it('takes counts of any size in as many bits as the largest has', () => {
    const counts = fc.array(fc.oneof(fc.nat({ max: 20 }), fc.nat({ max: 2 ** 40 - 1 })), { maxLength: 40 });
    fc.assert(
      fc.property(counts, (given) => {
        const large = { ...sketch, counts: given };
        expect(unpackSketch('speed', packSketch(large))).toEqual(large);
      }),
    );
    for (const count of [2 ** 40, 0.5, -1])
      expect(() => packSketch({ ...sketch, counts: [1, count] })).toThrow(
        `expected whole counts below 2^40, got 1, ${count}`,
      );
  });
  it('is a third as long as its JSON', () => {
    const counts = [1, 2, 3, 4, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 0, 0, 0, 0];
    const few = { n: 100, z: -1234, zz: 6_553_600, lag: 123_456, lagged: 99, longest: 1, changes: 99 };
    const typical = { name: 'speed', counts, ...few, min: 0.123456789, max: 99.123456789 };
    expect(packSketch(typical).length).toBeLessThan(70);
    expect(JSON.stringify(typical).length).toBeGreaterThan(180);
  });
  it.each([
    ['is cut off', packSketch(sketch).slice(0, 8), 'it ends after'],
    [
      'has something behind it',
      Buffer.from([...Buffer.from(packSketch(sketch), 'base64'), 1]).toString('base64'),
      '1 bytes are left over',
    ],
    [
      'names more cells than it has',
      Buffer.from([120, 1]).toString('base64'),
      'it names 120 cells of 1 bits and has 0 bytes',
    ],
    ['has cells without bits', Buffer.from([120, 0]).toString('base64'), 'it names 120 cells of 0 bits'],
    ['is empty', '', 'it ends after 0 bytes'],
    [
      'has a number that is too large',
      Buffer.from([1, 1, 0, ...new Array<number>(9).fill(255), 1]).toString('base64'),
      'too large',
    ],
    [
      'has its least value above its largest',
      packSketch({ ...sketch, min: 3 }),
      'its least value 3 is above its largest 2',
    ],
  ])('that %s is refused by its name', (_, text, why) => {
    expect(() => unpackSketch('speed', text)).toThrow('the packed sketch of speed cannot be read');
    expect(() => unpackSketch('speed', text)).toThrow(why);
  });
});
