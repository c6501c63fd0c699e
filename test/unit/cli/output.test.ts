import fc from 'fast-check';
import { facts, headline, wrapped } from '../../../cli/output.ts';

describe('wrapped text', () => {
  test('breaks between words', () => expect(wrapped('open the machine', 8)).toEqual(['open the', 'machine']));
  test('does not break a command in quotes, unless it is too long for a line', () => {
    expect(wrapped('now run "npm start" again', 13)).toEqual(['now run', '"npm start"', 'again']);
    expect(wrapped('"npm start"', 6)).toEqual(['"npm', 'start"']);
  });
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

const written = (write: (out: Parameters<typeof facts>[0]) => void): string => {
  const text: string[] = [];
  write({ json: false, colour: false, write: (t) => void text.push(t) });
  return text.join('');
};

test('a long fact is broken between words, a digest or key is left whole', () => {
  const key = 'k'.repeat(120);
  const text = written((out) =>
    facts(out, [
      ['why', 'because '.repeat(30).trim()],
      ['key', key],
    ]),
  );
  expect(text.split('\n')[1]).toMatch(/^ {7}because/);
  for (const line of text.split('\n')) if (!line.includes(key)) expect(line.length).toBeLessThanOrEqual(100);
  expect(text).toContain(`  key  ${key}\n`);
});

test('a long verdict goes on below itself', () => {
  const lines = written((out) => headline(out, 'red', 'refused', 'for a reason '.repeat(20).trim())).split('\n');
  expect(lines[0]).toMatch(/^refused {2}for a reason/);
  expect(lines[1]).toMatch(/^ {2}\S/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
});
