import type { AlertRecord } from '../../../core/contracts/judgement.ts';
import { artifactKeys } from '../../../core/contracts/lake.ts';
import type { LineageEdge, RecordClass } from '../../../core/contracts/ledger.ts';
import { PlantEvent } from '../../../core/contracts/plant-event.ts';
import { isNewerContent } from '../../../core/outcomes/standing.ts';
import { anAlert, LINE } from '../../support/alerts.ts';
import { baseline, manifest } from './a-package.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const OTHER = 'spindle-102';
const stored = (alert: AlertRecord) => ({ class: 'alert' as const, id: alert.alertId, body: { ...alert } });
const packageFiles = (of = digest('a'), more: Partial<typeof manifest> = {}) => ({
  [`${artifactKeys.package(LINE, of)}manifest.json`]: JSON.stringify({ ...manifest, ...more }),
  [`${artifactKeys.package(LINE, of)}baseline.json`]: JSON.stringify(baseline),
});

type Records = { class: RecordClass; id: string; body: Record<string, unknown>; version?: number }[];

/** A site with these alerts whose ledger really writes them. */
const siteWith = (alerts: readonly AlertRecord[], more: Records = [], edges: readonly LineageEdge[] = []) => {
  const records: Records = [...alerts.map(stored), ...more];
  const world = fakeWorld({
    registry: {
      latest: (c, id) => memoryRegistry(records).latest(c, id),
      list: (c, o) => memoryRegistry(records).list(c, o),
      versions: (c, id) => memoryRegistry(records).versions(c, id),
      edges: (node, direction) => memoryRegistry([], edges).edges(node, direction),
    },
    artifactFiles: packageFiles(),
    write: async (commands) => {
      for (const { record, expectVersion } of commands) {
        const at = records.findIndex((r) => r.class === record.class && r.id === record.id);
        const version = records[at]?.version ?? 1;
        if (expectVersion !== version)
          throw Object.assign(new Error('someone wrote in between'), { name: 'VersionConflict' });
        records[at] = { class: record.class, id: record.id, body: record.body, version: version + 1 };
      }
    },
  });
  const alert = async (id = 'plant-a/spindle-101/live-01') => (await world.registry.latest('alert', id))?.body;
  return { world, alert };
};
const events = (world: ReturnType<typeof siteWith>['world']) =>
  world.calls.map((c) => PlantEvent.parse((c.payload as { events: unknown[] }).events[0]));
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

describe('alerts', () => {
  test('one is also explained by its record, as lineage names it', async () => {
    const { world } = siteWith([anAlert()]);
    const shown = await runWith(world, ['alerts', 'show', 'spindle-101/live-01']);
    expect((await runWith(world, ['explain', 'alert:plant-a/spindle-101/live-01'])).out).toBe(shown.out);
  });

  test('what was acknowledged already is to be answered, not mended', async () => {
    const { world } = siteWith([anAlert({ status: 'acknowledged', by: 'cli:ann' })]);
    const { err } = await runWith(world, ['alerts', 'ack', 'spindle-101/live-01']);
    expect(err).toContain('is acknowledged already, by cli:ann');
    expect(err).toContain('say what it was: millwright alerts true|false|repaired spindle-101/live-01');
    expect(err).not.toContain('events add');
  });

  test('lists what waits, the newest first, and counts the rest', async () => {
    const { world } = siteWith([
      anAlert(),
      anAlert({ asset: OTHER, raisedAt: '2026-01-01T20:00:00.000Z', status: 'acknowledged', by: 'cli:ann' }),
      anAlert({ asset: 'spindle-103', status: 'shelved', shelvedUntil: '2026-01-03T00:00:00.000Z' }),
      anAlert({ asset: 'spindle-104', status: 'closed', truth: 'true' }),
    ]);
    const { out } = await runWith(world, ['alerts']);
    expect(out.indexOf(OTHER)).toBeLessThan(out.indexOf('spindle-101'));
    expect(out).toContain('about 6.3 h left');
    expect(out).not.toContain('spindle-103');
    expect(out).toContain('1 shelved, 1 closed: millwright alerts --all');
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test('--all lists the others too, with what they were', async () => {
    const { world } = siteWith([anAlert({ status: 'closed', truth: 'false' })]);
    const { out } = await runWith(world, ['alerts', '--all']);
    expect(out).toContain('closed: false');
  });

  test('a shelved one whose time is over waits again', async () => {
    const { world } = siteWith([anAlert({ status: 'shelved', shelvedUntil: '2026-01-01T23:59:59.000Z' })]);
    expect((await runWith(world, ['alerts'])).out).toMatch(/spindle-101\/live-01 {2}open/);
    expect(JSON.parse((await runWith(world, ['alerts', '--json'])).out)).toMatchObject([{ status: 'open' }]);
  });

  test('--asset narrows; an empty list says so', async () => {
    const { world } = siteWith([anAlert()]);
    expect((await runWith(world, ['alerts', '--asset', OTHER])).out).toBe(`No alert waits for ${OTHER}.\n`);
  });

  test('of another site are left out', async () => {
    const { world } = siteWith([anAlert({ alertId: 'plant-b/spindle-101/live-01', site: 'plant-b' })]);
    expect((await runWith(world, ['alerts'])).out).toBe('No alert waits.\n');
  });
});

describe('alerts show', () => {
  const past = (asset: string, features: number[], more: Partial<AlertRecord> = {}) =>
    anAlert({ asset, features, status: 'closed', truth: 'false', note: 'belt slipped', by: 'cli:ann', ...more });

  test('tells inputs by their distance from normal, similar cases and the next action', async () => {
    const { world } = siteWith([anAlert(), past(OTHER, [55, 81]), past('spindle-103', [90, 10], { truth: 'true' })]);
    const { out } = await runWith(world, ['alerts', 'show', 'spindle-101']);
    expect(out).toContain('plan an exchange within the time that is left');
    expect(out.indexOf('\nrms')).toBeLessThan(out.indexOf('\nspeed'));
    expect(out).toContain('outside the validated range');
    expect(out.indexOf(`\n${OTHER}`)).toBeLessThan(out.indexOf('\nspindle-103'));
    expect(out).toContain('belt slipped');
    expect(out).toContain('millwright alerts true|false|repaired spindle-101/live-01');
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test('with --json has the numbers', async () => {
    const { world } = siteWith([anAlert(), past(OTHER, [65, 80])]);
    const { out } = await runWith(world, ['alerts', 'show', 'spindle-101/live-01', '--json']);
    expect(JSON.parse(out)).toMatchObject({
      inputs: [{ name: 'rms', distance: 3 }, { name: 'speed' }],
      similar: [{ alertId: 'plant-a/spindle-102/live-01', truth: 'false', distance: Math.SQRT1_2 }],
    });
  });

  test('compares only with cases whose model saw the same features, and answered ones', async () => {
    const { world } = siteWith([
      anAlert(),
      past(OTHER, [55, 80], { packageDigest: digest('b') }),
      past('spindle-103', [55, 80], { status: 'open', truth: null }),
    ]);
    Object.assign(world.artifactFiles, packageFiles(digest('b'), { featureSetDigest: digest('9') }));
    expect((await runWith(world, ['alerts', 'show', 'spindle-101'])).out).toContain('None yet');
  });

  test('of a closed one tells what it was, and asks nothing', async () => {
    const { world } = siteWith([past('spindle-101', [55, 80])]);
    const { out } = await runWith(world, ['alerts', 'show', 'spindle-101']);
    expect(out).toContain('closed: false by cli:ann');
    expect(out).not.toContain('Then say');
  });
});

describe('the id of an alert', () => {
  test.each(['plant-a/spindle-101/live-01', 'spindle-101/live-01', 'spindle-101', '1/live-01'])(
    'may be %s',
    async (id) => {
      const { world } = siteWith([anAlert()]);
      expect((await runWith(world, ['alerts', 'ack', id])).code).toBe(0);
    },
  );
  test('that fits several means the one that is not closed', async () => {
    const { world, alert } = siteWith([anAlert(), anAlert({ run: 'live-00', status: 'closed', truth: 'true' })]);
    expect((await runWith(world, ['alerts', 'ack', 'spindle-101'])).code).toBe(0);
    expect(await alert()).toMatchObject({ status: 'acknowledged' });
  });
  test('that fits several is refused with them', async () => {
    const { world } = siteWith([anAlert(), anAlert({ asset: OTHER })]);
    const { code, err } = await runWith(world, ['alerts', 'ack', 'live-01']);
    expect(code).toBe(2);
    expect(err).toMatch(/"live-01" fits 2 alerts\n {2}give more of it: spindle-101\/live-01, spindle-102\/live-01/);
  });
  test('that fits none is refused', async () => {
    const { code, err } = await runWith(siteWith([]).world, ['alerts', 'show', 'spindle-9']);
    expect(code).toBe(3);
    expect(err).toContain('site plant-a has no alert "spindle-9"');
  });
});

describe('alerts ack and shelve', () => {
  test('ack writes who and the note', async () => {
    const { world, alert } = siteWith([anAlert()]);
    const { out } = await runWith(world, ['alerts', 'ack', 'spindle-101', '--note', 'on my way']);
    expect(out).toBe('✓ spindle-101/live-01 acknowledged by cli:tester\n');
    expect(await alert()).toMatchObject({ status: 'acknowledged', by: 'cli:tester', note: 'on my way' });
  });
  test('shelve says when it returns', async () => {
    const { world, alert } = siteWith([anAlert()]);
    const { out } = await runWith(world, ['alerts', 'shelve', 'spindle-101', '--for', '8h']);
    expect(out).toContain('it returns at 2026-01-02T08:00:00.000Z');
    expect(await alert()).toMatchObject({ status: 'shelved', shelvedUntil: '2026-01-02T08:00:00.000Z' });
  });
  test('shelve refuses a time that is none', async () => {
    const { world, alert } = siteWith([anAlert()]);
    const { code, err } = await runWith(world, ['alerts', 'shelve', 'spindle-101', '--for', 'a while']);
    expect(code).toBe(2);
    expect(err).toContain('for example: --for 8h');
    expect(await alert()).toMatchObject({ status: 'open' });
  });
  test('a closed one is refused, with who closed it and what to do', async () => {
    const { world } = siteWith([anAlert({ status: 'closed', truth: 'true', by: 'cli:ann' })]);
    const { code, err } = await runWith(world, ['alerts', 'ack', 'spindle-101']);
    expect(code).toBe(1);
    expect(err).toMatch(/is closed: cli:ann said "true"\n.*\n? *"millwright events add"/);
  });
  test('a lost update is told and writes nothing', async () => {
    const { world } = siteWith([anAlert()]);
    const conflict = Object.assign(new Error('x'), { name: 'VersionConflict' });
    const racing = { ...world, write: async () => Promise.reject(conflict) };
    const { code, err } = await runWith(racing, ['alerts', 'ack', 'spindle-101']);
    expect(code).toBe(1);
    expect(err).toMatch(/someone changed alert .* in between; nothing was written\n {2}look at it/);
  });
  test('another fault of the ledger is told as it is', async () => {
    const { world } = siteWith([anAlert()]);
    const failing = { ...world, write: async () => Promise.reject(new Error('the ledger is away')) };
    expect((await runWith(failing, ['alerts', 'ack', 'spindle-101'])).err).toContain('the ledger is away');
  });
});

describe('alerts true, false, repaired', () => {
  test('true closes it and sends a finding at the last frame decided about', async () => {
    const object = {
      class: 'decision-object' as const,
      id: 'o1',
      body: {
        runs: [
          { asset: 'spindle-101', run: 'live-01', first: 40, last: 57 },
          { asset: OTHER, run: 'live-01', first: 1, last: 99 },
        ],
      },
    };
    const edge = { from: 'decision-object:o1', rel: 'about' as const, to: 'run:plant-a/spindle-101/live-01' };
    const { world, alert } = siteWith([anAlert()], [object], [edge]);
    const { out } = await runWith(world, ['alerts', 'true', 'spindle-101', '--note', 'inner race']);
    expect(out).toContain('✓ spindle-101/live-01 closed: true, as found damaged');
    expect(await alert()).toMatchObject({ status: 'closed', truth: 'true', note: 'inner race' });
    expect(world.calls[0]?.name).toBe(world.names.plantEvents.arn);
    expect(events(world)).toMatchObject([{ kind: 'finding', asFound: 'damaged', index: 57, reportedBy: 'cli:tester' }]);
  });
  test('false says that the machine was healthy', async () => {
    const { world } = siteWith([anAlert()]);
    await runWith(world, ['alerts', 'false', 'spindle-101']);
    expect(events(world)).toMatchObject([{ kind: 'finding', asFound: 'healthy', index: 41 }]);
  });
  test('repaired asks for what was found when nobody said', async () => {
    const { world } = siteWith([anAlert()]);
    const { out } = await runWith(world, ['alerts', 'repaired', 'spindle-101']);
    expect(events(world)).toMatchObject([{ kind: 'repair', asFound: 'unknown' }]);
    expect(out).toContain('without --as-found nobody can say whether the model was right');
  });
  test('the same answer again completes it, with the same event', async () => {
    const { world } = siteWith([anAlert()]);
    const away = { ...world, invoke: async () => Promise.reject(new Error('timed out')) };
    const { code, err } = await runWith(away, ['alerts', 'true', 'spindle-101']);
    expect(code).toBe(1);
    expect(err).toMatch(/is closed, but its finding was not sent: timed out\n {2}run the same command again/);
    await runWith(world, ['alerts', 'true', 'spindle-101/live-01']);
    await runWith(world, ['alerts', 'true', 'spindle-101/live-01']);
    const [first, second] = events(world);
    expect(second).toEqual(first);
  });
  test('what was found may be said later, and then stands', async () => {
    const records: Records = [];
    const { world } = siteWith([anAlert()], records);
    const said: PlantEvent[] = [];
    const at = (now: string) => ({
      ...world,
      now: () => now,
      registry: {
        ...world.registry,
        latest: async (c: RecordClass, id: string) =>
          c === 'plant-event' && said.length > 0
            ? { ...(await world.registry.latest('alert', 'plant-a/spindle-101/live-01')), body: { ...said.at(-1) } }
            : world.registry.latest(c, id),
      } as typeof world.registry,
    });
    await runWith(at('2026-01-01T01:00:00.000Z'), ['alerts', 'repaired', 'spindle-101/live-01']);
    said.push(events(world)[0] as PlantEvent);
    await runWith(at('2026-01-01T09:00:00.000Z'), [
      'alerts',
      'repaired',
      'spindle-101/live-01',
      '--as-found',
      'damaged',
    ]);
    const [unknown, damaged] = events(world) as [PlantEvent, PlantEvent];
    expect(damaged).toMatchObject({ asFound: 'damaged', index: unknown.index, validTime: unknown.validTime });
    expect(isNewerContent(damaged, unknown)).toBe(true);
  });
  test('a repair is where the run ended, also when its last frames came later', async () => {
    const { world } = siteWith([anAlert()]);
    await runWith(world, ['alerts', 'repaired', 'spindle-101/live-01', '--as-found', 'damaged']);
    const said = events(world)[0] as PlantEvent;
    const later = siteWith(
      [anAlert({ status: 'closed', truth: 'repaired', by: 'cli:tester' })],
      [
        { class: 'plant-event', id: 'plant-a/alert.spindle-101.live-01', body: { ...said } },
        {
          class: 'decision-object',
          id: 'o',
          body: { runs: [{ asset: 'spindle-101', run: 'live-01', first: 40, last: 57 }] },
        },
      ],
      [{ from: 'decision-object:o', rel: 'about', to: 'run:plant-a/spindle-101/live-01' }],
    );
    await runWith(later.world, ['alerts', 'repaired', 'spindle-101/live-01', '--as-found', 'damaged']);
    const [mended] = events(later.world) as [PlantEvent];
    expect(mended.index).toBe(57);
    expect(isNewerContent(mended, said)).toBe(true);
  });
  test('a damaged machine may be said to have had a life left, and to have had another one later', async () => {
    const { world } = siteWith([anAlert()]);
    const answered = ['alerts', 'repaired', 'spindle-101/live-01', '--as-found', 'damaged', '--left-at-most'];
    await runWith(world, [...answered, '20']);
    const said = events(world)[0] as PlantEvent;
    expect(said.detail).toMatchObject({ leftAtMost: 20 });
    const later = siteWith(
      [anAlert({ status: 'closed', truth: 'repaired', by: 'cli:tester' })],
      [{ class: 'plant-event', id: 'plant-a/alert.spindle-101.live-01', body: { ...said } }],
    );
    await runWith(later.world, [...answered, '20']);
    await runWith(later.world, [...answered, '9']);
    const [same, mended] = events(later.world) as [PlantEvent, PlantEvent];
    expect(same).toEqual(said);
    expect(mended.detail).toMatchObject({ leftAtMost: 9 });
  });
  test('a machine that was not found damaged has no life left to be said', async () => {
    const { world } = siteWith([anAlert()]);
    const { code, err } = await runWith(world, ['alerts', 'repaired', 'spindle-101', '--left-at-most', '20']);
    expect(code).toBe(2);
    expect(err).toContain('--as-found damaged only');
    expect(world.calls).toEqual([]);
  });
  test('another answer to a closed one is refused and sends nothing', async () => {
    const { world } = siteWith([anAlert({ status: 'closed', truth: 'true', by: 'cli:ann' })]);
    const { code } = await runWith(world, ['alerts', 'false', 'spindle-101']);
    expect(code).toBe(1);
    expect(world.calls).toEqual([]);
  });
  test('what was found must fit the answer', async () => {
    const { world } = siteWith([anAlert()]);
    const { code, err } = await runWith(world, ['alerts', 'false', 'spindle-101', '--as-found', 'damaged']);
    expect(code).toBe(2);
    expect(err).toContain('healthy');
    expect(world.calls).toEqual([]);
  });
});

describe('alerts tell', () => {
  test('sends a message to the owner about the alert', async () => {
    const { world } = siteWith([anAlert()]);
    const { out } = await runWith(world, ['alerts', 'tell', 'spindle-101', 'third one since the change of tools']);
    expect(out).toContain(`the owner of ${LINE} is told`);
    expect(world.asked).toEqual([
      {
        type: 'OwnerMessage',
        detail: {
          site: 'plant-a',
          modelLine: LINE,
          about: 'plant-a/spindle-101/live-01',
          from: 'cli:tester',
          text: 'third one since the change of tools',
        },
      },
    ]);
  });
  test.each(['  ', 'x'.repeat(1001)])('refuses a message of %j characters', async (text) => {
    const { code, err } = await runWith(siteWith([anAlert()]).world, ['alerts', 'tell', 'spindle-101', text]);
    expect(code).toBe(2);
    expect(err).toContain('expected 1 to 1000');
  });
});

test.each(['alerts', ...['show', 'ack', 'shelve', 'true', 'false', 'repaired', 'tell'].map((c) => `alerts ${c}`)])(
  '%s helps with an example',
  async (command) => {
    const { code, out } = await runWith(fakeWorld(), [...command.split(' '), '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(/Examples?:\n {2}\$ millwright alerts/);
    expect(widest(out)).toBeLessThanOrEqual(100);
  },
);
