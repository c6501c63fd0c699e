import { fakeWorld, oneAnswer, runWith } from './fakes.ts';

const DAYS = ['--param', 'first_day=2026-01-01', '--param', 'last_day=2026-01-02'];

const asked: string[] = [];
const world = (rows: readonly (readonly (string | null)[])[]) =>
  fakeWorld({ athena: oneAnswer(['asset', 'bad_share'], rows, asked) });
beforeEach(() => asked.splice(0));

describe('millwright query', () => {
  it('runs a query with its parameters, for the site of the stage', async () => {
    const { code, out } = await runWith(
      world([
        ['m1', '0.25'],
        ['m2', null],
      ]),
      ['query', 'bad-share', ...DAYS],
    );
    expect(code).toBe(0);
    expect(out).toMatch(/asset +bad_share\n.*m1 +0\.25\n.*m2 +–/);
    expect(asked[0]).toContain(`"site" = 'plant-a'`);
  });

  it('prints every row as CSV or JSON', async () => {
    const rows = Array.from({ length: 300 }, (_, i) => [`m${i}`, i === 0 ? null : 'a,"b"']);
    const csv = await runWith(world(rows), ['query', 'bad-share', ...DAYS, '--csv']);
    expect(csv.out.split('\n').slice(0, 3)).toEqual(['asset,bad_share', 'm0,', 'm1,"a,""b"""']);
    expect(csv.out.trim().split('\n').length).toBe(301);
    const json = await runWith(world(rows), ['query', 'bad-share', ...DAYS, '--json']);
    expect(JSON.parse(json.out)).toMatchObject({ query: 'bad-share', execution: 'q-1', scannedBytes: 7 });
    expect(JSON.parse(json.out).rows[1]).toEqual({ asset: 'm1', bad_share: 'a,"b"' });
    const people = await runWith(world(rows), ['query', 'bad-share', ...DAYS]);
    expect(people.out).toContain('… and 100 more');
  });

  it('prints its SQL without running it', async () => {
    const { out } = await runWith(world([]), ['query', 'bad-share', ...DAYS, '--sql', '--site', 'plant-a']);
    expect(out).toContain('SELECT');
    expect(asked).toEqual([]);
  });

  it.each([
    [['query', 'everything'], 'there is no query "everything"'],
    [['query', 'bad-share', '--param', 'first_day'], '--param first_day has no value'],
    [['query', 'bad-share', ...DAYS, ...DAYS], '--param first_day is there twice'],
    [['query', 'bad-share', '--param', 'first_day=monday'], 'first_day: Invalid'],
    [['query', 'bad-share', '--param', 'first_day=2026-01-01'], 'last_day: missing'],
  ])('says what is wrong with %j', async (args, says) => {
    const { code, err } = await runWith(world([]), args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });

  it('is told of with all others by millwright queries, on no stage', async () => {
    const nowhere = () => {
      throw new Error('no stage');
    };
    const { code, out } = await runWith(nowhere, ['queries']);
    expect(code).toBe(0);
    expect(out).toMatch(/bad-share {2}Share of values.*\n {2}site .*\n {2}first_day/);
    const json = JSON.parse((await runWith(nowhere, ['queries', '--json'])).out);
    expect(json.find((q: { name: string }) => q.name === 'features-as-of').params).toContainEqual({
      name: 'max_age_days',
      says: expect.any(String),
      example: '30',
      default: '30',
    });
  });
});
