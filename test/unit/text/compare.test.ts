import { compareText } from '#core/text/compare.ts';

describe('the order of texts', () => {
  it('is that of code units, whatever the language of the machine', () => {
    expect(['b', 'ä', 'a', 'Z', 'a'].sort(compareText)).toEqual(['Z', 'a', 'a', 'b', 'ä']);
  });
});
