import fc from 'fast-check';
import { parseCsv, writeCsv } from '#core/text/csv.ts';

it('rows of any texts are read as they were written', () => {
  // A row of one empty cell is an empty line, which readers leave out.
  const row = fc.array(fc.string(), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
      const text = writeCsv(rows);
      fc.pre(!text.startsWith('\uFEFF'));
      expect(parseCsv(text).map((r) => r.fields)).toEqual(rows);
    }),
    { numRuns: 500 },
  );
});
