import fc from 'fast-check';
import { parseEventFile } from '#core/outcomes/event-file.ts';
import { parseCsv } from '#core/text/csv.ts';

const AT = '2026-01-01T00:00:00.000Z';
const event = {
  schema: 'plant-event/1',
  eventId: 'e1',
  kind: 'repair',
  site: 'plant-a',
  asset: 'm1',
  run: null,
  index: null,
  asFound: 'damaged',
  validTime: AT,
  knownTime: AT,
  reportedBy: 'shift-2',
  detail: {},
};

describe('CSV', () => {
  const fields = (text: string) => parseCsv(text).map((r) => r.fields);
  it('has fields between commas, quoted where they hold commas, quotes or line ends', () => {
    expect(fields('a,b\r\n"1,2","say ""hi""\nthere"\n')).toEqual([
      ['a', 'b'],
      ['1,2', 'say "hi"\nthere'],
    ]);
  });
  it('tells at which line a record begins', () => {
    expect(parseCsv('\uFEFFa\n\n"x\ny"\nb').map((r) => r.line)).toEqual([1, 3, 5]);
  });
  it('takes an open quote to the end, and text after a quote into the field', () => {
    expect(fields('"a,b\nc')).toEqual([['a,b\nc']]);
    expect(fields('"a"b,c')).toEqual([['ab', 'c']]);
  });
  it('gives back what was written by the rules', () => {
    const text = fc.string({ unit: fc.constantFrom('a', ' ', ',', '"', '\n', 'é', ';') });
    const record = fc.array(text, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(record, { maxLength: 5 }), fc.constantFrom('\n', '\r\n'), (records, end) => {
        const written = records.map((r) => r.map((f) => `"${f.replaceAll('"', '""')}"`).join(',') + end).join('');
        expect(fields(written)).toEqual(records);
      }),
    );
  });
});

describe('a file of events', () => {
  it('may be a JSON array, or one JSON document a line', () => {
    expect(parseEventFile('a.json', JSON.stringify([event])).events).toEqual([event]);
    expect(parseEventFile('a.json', JSON.stringify(event)).events).toEqual([event]);
    expect(parseEventFile('a.jsonl', `${JSON.stringify(event)}\n\n`).events).toEqual([event]);
  });
  it('may be CSV: an empty cell is no field, columns detail.x are its detail', () => {
    const csv = [
      'eventId,kind,site,asset,index,asFound,validTime,knownTime,reportedBy,corrects,detail.part',
      `e1,repair,plant-a,m1,,damaged,${AT},${AT},shift-2,,6204`,
      `e2,repair,plant-a,m1,12,,${AT},${AT},shift-2,e1,`,
    ].join('\n');
    const { asFound: _, ...rest } = event;
    expect(parseEventFile('a.csv', csv)).toEqual({
      events: [
        { ...event, detail: { part: '6204' } },
        { ...rest, eventId: 'e2', index: 12, corrects: 'e1' },
      ],
      bad: [],
    });
  });
  it.each<[string, string, number, RegExp]>([
    ['a.jsonl', `${JSON.stringify(event)}\nno json`, 2, /JSON/],
    ['a.jsonl', '{"schema":"plant-event/1"}', 1, /eventId/],
    ['a.json', '[1]', 1, /\(whole\)/],
    ['a.json', '[', 1, /^not JSON/],
    ['a.json', JSON.stringify([{ ...event, detail: { note: 'x'.repeat(9000) } }]), 1, /^detail: expected at most 8192/],
    ['a.json', JSON.stringify([{ ...event, eventId: 'e1~joined' }]), 1, /^eventId: ids that end in ~joined are/],
    ['a.csv', 'eventId,kind\ne1', 2, /^2 cells expected as in the heading, 1 found/],
    ['a.csv', 'eventId,index\ne1,many', 2, /index/],
    ['a.csv', '', 1, /^there is no event in it/],
    ['a.pdf', '%PDF', 1, /a\.pdf is no file of events: expected a name that ends in \.csv, \.json or \.jsonl/],
  ])('says of %s with %j what is wrong and where', (name, text, line, reason) => {
    const { bad } = parseEventFile(name, text);
    expect(bad).toEqual([expect.objectContaining({ line, reason: expect.stringMatching(reason) })]);
  });
});
