import type { QuarantineEntry, ReplayAnswer } from '../../../core/contracts/quarantine.ts';
import { fakeWorld, NOW, runWith } from './fakes.ts';

const KEY = 'quarantine/messages/site=plant-a/date=2026-01-01/b1.ndjson.gz';
const entry = (over: Partial<QuarantineEntry> = {}): QuarantineEntry => ({
  key: KEY,
  site: 'plant-a',
  from: 'messages',
  at: '2026-01-01T00:00:00.000Z',
  records: 3,
  classes: { unit: 2, 'not-json': 1 },
  replay: null,
  ...over,
});
const result = (over: object = {}) => ({
  at: NOW,
  by: 'cli:tester',
  landed: 2,
  known: 0,
  bad: 1,
  handedOn: false,
  ...over,
});

/** A stage whose functions answer one after another. */
const answering = (...answers: unknown[]) => {
  const payloads: unknown[] = [];
  const world = fakeWorld({
    invoke: async (_, payload) => {
      payloads.push(payload);
      return answers[payloads.length - 1];
    },
  });
  return { world, payloads };
};

describe('millwright quarantine', () => {
  it('counts by class, says first and last, and what came of replays', async () => {
    const replay = result({ bad: 0 });
    const { world, payloads } = answering({
      entries: [
        entry(),
        entry({ at: '2025-12-30T00:00:00.000Z', replay }),
        entry({ replay: result({ handedOn: true }) }),
      ],
      more: true,
    });
    const { code, out } = await runWith(world, ['quarantine']);
    expect(code).toBe(0);
    expect(out).toMatch(/class +records[\s\S]*unit +6 +3 +3 d ago +24 h ago/);
    expect(out).toMatch(/not replayed/);
    expect(out).toMatch(/all good now/);
    expect(out).toMatch(/given back to its way in/);
    expect(out).toMatch(/raise --limit \(100\)/);
    expect(payloads).toEqual([{ do: 'list', site: 'plant-a', limit: 100 }]);
  });

  it('says so when nothing is there, and asks for all sites when told to', async () => {
    const { world, payloads } = answering({ entries: [], more: false }, { entries: [], more: false });
    expect((await runWith(world, ['quarantine'])).out).toMatch(/Nothing is in quarantine of plant-a/);
    await runWith(world, ['quarantine', '--all']);
    expect(payloads[1]).toMatchObject({ site: null });
  });

  it('shows an object line by line', async () => {
    const lines = [
      { class: 'unit', reason: 'bad unit', place: 'line 4', text: '{"x":1}' },
      { class: 'container', reason: 'no gzip', place: 'the whole object', text: '' },
    ];
    const { world } = answering({ entry: entry({ replay: result() }), lines });
    const { out } = await runWith(world, ['quarantine', 'show', KEY]);
    expect(out).toMatch(/unit +bad unit\n +place +line 4\n +text +\{"x":1\}/);
    expect(out).toMatch(/1 still bad/);
  });

  it('refuses a key of something else', async () => {
    const { code, err } = await runWith(answering().world, ['quarantine', 'show', 'raw/x']);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(/"raw\/x" is no key of quarantine/) });
  });
});

describe('millwright replay', () => {
  const replays = (over: object = {}, stillBad: string[] = ['not JSON: x']): ReplayAnswer => ({
    replays: [{ key: KEY, result: result(over), stillBad }],
    more: false,
  });

  it('says what was stored, what was known and what is still bad, and why', async () => {
    const { world, payloads } = answering(replays());
    const { out } = await runWith(world, ['replay', KEY, '--reason', 'units mended']);
    expect(out).toMatch(/2 stored, 0 stored before, 1 still bad/);
    expect(out).toMatch(/not JSON: x/);
    expect(payloads).toEqual([
      { do: 'replay', what: { keys: [KEY] }, dryRun: false, by: 'cli:tester', reason: 'units mended' },
    ]);
  });

  it('asks again while there is more, and ends when a call brings nothing else', async () => {
    const again = { ...replays(), more: true };
    const { world, payloads } = answering(again, again);
    const { out } = await runWith(world, ['replay', '--all', '--json']);
    expect(JSON.parse(out)).toMatchObject({ landed: 2, bad: 1, replays: [{ key: KEY }] });
    expect(payloads).toHaveLength(2);
  });

  it('says what would be good now in a dry run, and what goes by its own way', async () => {
    const dry = await runWith(answering(replays()).world, ['replay', '--class', 'unit', '--dry-run']);
    expect(dry.out).toMatch(/2 would be good now/);
    const frames = await runWith(answering(replays({ handedOn: true }, [])).world, ['replay', '--all']);
    expect(frames.out).toMatch(/1 uploads are looked at again/);
    const none = await runWith(answering({ replays: [], more: false }).world, ['replay', '--all']);
    expect(none.out).toMatch(/Nothing to replay/);
  });

  it.each([
    [[], /what shall be replayed/],
    [['--all', '--class', 'unit'], /exclude each other/],
    [['raw/x'], /"raw\/x" is no key/],
    [['--class', 'mood'], /Allowed choices/],
    [Array.from({ length: 101 }, (_, i) => `quarantine/${i}`), /more than 100 keys/],
  ])('refuses %j', async (args, why) => {
    const { code, err } = await runWith(answering().world, ['replay', ...args]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(why) });
  });
});

describe('millwright compact', () => {
  const day = { table: 'observations', site: 'plant-a', date: '2026-01-01', files: 3, bytes: 5000, parts: 1 };

  it('goes on while time was too short, and says how far each day came', async () => {
    const { world, payloads } = answering(
      { days: [{ ...day, state: 'planned' }], more: true },
      { days: [{ ...day, state: 'done' }], more: false },
    );
    const { out } = await runWith(world, ['compact', 'observations', '--date', '2026-01-01']);
    expect(out).toMatch(/observations +2026-01-01 +3 +5 +1 +done/);
    expect(payloads).toHaveLength(2);
    expect(payloads[0]).toEqual({ table: 'observations', site: 'plant-a', date: '2026-01-01', dryRun: false });
  });

  it('changes nothing in a dry run, and says so when there is nothing', async () => {
    const dry = answering({ days: [{ ...day, state: 'planned' }], more: true });
    expect((await runWith(dry.world, ['compact', '--dry-run'])).out).toMatch(/Nothing was changed/);
    expect(dry.payloads).toHaveLength(1);
    expect((await runWith(answering({ days: [], more: false }).world, ['compact'])).out).toMatch(/No day that is over/);
  });

  it.each([
    [['decisions'], /cannot compact decisions/],
    [['quality', '--date', 'today'], /Expected a UTC day/],
  ])('refuses %j', async (args, why) => {
    const { code, err } = await runWith(answering().world, ['compact', ...args]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringMatching(why) });
  });
});
