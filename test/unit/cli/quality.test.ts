import { fakeWorld, oneAnswer, runWith } from './fakes.ts';

const COLUMNS = 'asset signal check from_time to_time open count worst says found_at found_by'.split(' ');
const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
const row = (signal: string, from: number, to: number, open = false, worst: string | null = '12.5') => [
  ...['press-1', signal, 'range', at(from), at(to), String(open), '3', worst, 'too hot', at(to), 'edge-1'],
];
const asked: string[] = [];
const world = (...rows: readonly (readonly (string | null)[])[]) =>
  fakeWorld({ athena: oneAnswer(COLUMNS, rows, asked) });
beforeEach(() => asked.splice(0));

describe('millwright quality', () => {
  it('shows what was found in the last week, and what goes on', async () => {
    const { code, out } = await runWith(world(row('speed', 1, 2), row('load', 3, 4, true, null)), ['quality']);
    expect(code).toBe(0);
    expect(out).toMatch(/press-1 +speed +range +2026-01-01T01.* +2026-01-01T02.* +3 +12\.50? +too hot/);
    expect(out).toMatch(/load +range +2026-01-01T03.* +goes on +3 +–/);
    expect(asked[0]).toContain(`BETWEEN '2025-12-26' AND '2026-01-02'`);
  });

  it('asks for what goes on only, further back', async () => {
    await runWith(world(), ['quality', '--open']);
    expect(asked[0]).toContain('"open"\nORDER BY');
    expect(asked[0]).toContain(`BETWEEN '2025-10-04' AND`);
  });

  it('shows those of one machine and one signal, since a day, as JSON too', async () => {
    const of = ['quality', '--asset', 'press-1', '--signal', 'load', '--since', '2026-01-01', '--json'];
    const { out } = await runWith(world(row('speed', 1, 2), row('load', 3, 4)), of);
    expect(JSON.parse(out)).toEqual([expect.objectContaining({ signal: 'load', count: 3, foundBy: 'edge-1' })]);
    expect((await runWith(world(row('load', 1, 2)), ['quality', '--asset', 'other'])).out).toContain(
      'Nothing was found',
    );
  });

  it('says what could be relied on of a signal in a time, and why', async () => {
    const ask = (from: number, to: number) => [
      ...['quality', '--asset', 'press-1', '--signal', 'speed', '--from', at(from), '--to', at(to)],
    ];
    const bad = await runWith(world(row('speed', 1, 2)), ask(2, 3));
    expect(bad.out).toMatch(/BAD.*press-1\/speed/);
    expect(bad.out).toContain('too hot');
    expect((await runWith(world(row('speed', 1, 2)), ask(3, 4))).out).toMatch(/GOOD/);
    const { out } = await runWith(world(row('speed', 1, 2)), [...ask(2, 3), '--json']);
    expect(JSON.parse(out)).toMatchObject({ quality: 'BAD', because: [{ check: 'range' }] });
  });

  it.each([
    [['quality', '--from', at(1)], 'give --asset, --signal, --from and --to together'],
    [
      ['quality', '--from', at(1), '--to', at(2), '--asset', 'press-1'],
      'give --asset, --signal, --from and --to together',
    ],
    [['quality', '--asset', 'a', '--signal', 'b', '--from', 'noon', '--to', at(2)], 'Expected UTC'],
    [['quality', '--asset', 'a', '--signal', 'b', '--from', '2026-01-03T06:00', '--to', at(2)], 'Expected UTC'],
    [['quality', '--asset', 'a', '--signal', 'b', '--from', at(3), '--to', at(2)], 'nothing lies between'],
    [['quality', '--since', 'monday'], 'Expected a UTC day'],
  ])('says what is wrong with %j', async (args, says) => {
    const { code, err } = await runWith(world(), args);
    expect(code).toBe(2);
    expect(err).toContain(says);
  });
});
