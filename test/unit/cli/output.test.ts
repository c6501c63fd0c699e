import fc from 'fast-check';
import { facts, wrapped } from '../../../cli/output.ts';

describe('wrapped text', () => {
  test('breaks between words', () => expect(wrapped('open the machine', 8)).toEqual(['open the', 'machine']));
  test('keeps every character in order, in lines that fit', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 20 }), (text, width) => {
        const lines = wrapped(text, width);
        expect(lines.join('').replaceAll(/\s/g, '')).toBe(text.replaceAll(/\s/g, ''));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});

test('further lines of a fact stand below its first', () => {
  const text: string[] = [];
  facts({ json: false, colour: false, write: (t) => void text.push(t) }, [
    ['next', 'one', 'two'],
    ['status', 'open'],
  ]);
  expect(text.join('')).toBe('  next    one\n          two\n  status  open\n');
});
