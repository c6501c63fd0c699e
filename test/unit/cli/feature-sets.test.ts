import type { LineageEdge } from '../../../core/contracts/ledger.ts';
import { featureSetRecord } from '../../../core/feature-sets/record.ts';
import { digestOf } from '../../../core/lineage/digest.ts';
import { aModelLine } from '../../support/a-model-line.ts';
import { aRawObject } from '../../support/raw-object.ts';
import { FEATURE_SET } from '../feature-sets/a-run.ts';
import { SIGNALS } from '../features/a-frame.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const SET = digestOf(FEATURE_SET);
const HEX = SET.slice(7, 19);
const OTHER = {
  ...FEATURE_SET,
  id: 'level-2',
  features: FEATURE_SET.features.map((f) => ({ ...f, window: f.window + 1 })),
};
const record = (featureSet: typeof FEATURE_SET, more: object = {}) => ({
  class: 'feature-set' as const,
  id: digestOf(featureSet),
  body: { ...featureSetRecord({ featureSet, signals: [...SIGNALS] }), ...more },
});
const line = (useCaseDigest: string, champion: string | null = null) => ({
  class: 'model-line' as const,
  id: 'pm/plant-a',
  body: { ...aModelLine('pm/plant-a', useCaseDigest, champion) },
});
const to = `feature-set:${SET}`;
const NAMED: LineageEdge[] = [
  { from: `use-case:${digest('3')}`, rel: 'used', to },
  { from: `package:${digest('2')}`, rel: 'used', to },
];
const RETIRED = { by: 'cli:ann', reason: 'sensor gone', at: '2026-01-01T00:00:00.000Z', breaks: [] };
const worldOf = (records: Parameters<typeof memoryRegistry>[0], edges: readonly LineageEdge[] = []) =>
  fakeWorld({ registry: memoryRegistry(records, edges) });

describe('millwright feature-sets', () => {
  test('lists id, digest, owner, features, state and users', async () => {
    const world = worldOf([record(FEATURE_SET), record(OTHER), line(digest('3'), digest('2'))], NAMED);
    const { out } = await runWith(world, ['feature-sets']);
    expect(out).toMatch(new RegExp(`level +${HEX} +team-a +2 +published +1 model line, 1 champion`));
    expect(out).toMatch(/level-2 .*not published +–/);
    const { out: json } = await runWith(world, ['feature-sets', '--json']);
    expect(JSON.parse(json)[0]).toMatchObject({ id: 'level', digest: SET, state: 'published', features: 2 });
  });

  test('says so when there is none', async () => {
    expect((await runWith(worldOf([]), ['feature-sets'])).out).toContain('No feature set is published yet');
  });
});

describe('millwright feature-set', () => {
  test.each(['level', SET, HEX])('shows one by %s: definitions with unit, version and what they say', async (name) => {
    const { out, code } = await runWith(worldOf([record(FEATURE_SET)]), ['feature-set', name]);
    expect(code).toBe(0);
    expect(out).toContain(SET);
    expect(out).toMatch(/level_mean +mean v1 +level +4 +bar/);
  });

  test('shows who retired it and why', async () => {
    const { out } = await runWith(worldOf([record(FEATURE_SET, { retired: RETIRED })]), ['feature-set', 'level']);
    expect(out).toMatch(/retired .*by cli:ann: sensor gone/);
  });

  test('shows what changes to another', async () => {
    const world = worldOf([record(FEATURE_SET), record(OTHER)]);
    const { out } = await runWith(world, ['feature-set', 'level', '--diff', 'level-2']);
    expect(out).toMatch(/changed +level +window: 1 → 2/);
    expect((await runWith(world, ['feature-set', 'level', '--diff', 'level'])).out).toContain('They are the same.');
  });

  test('of several with one id takes the only one that is not retired, else asks for a digest', async () => {
    const twin = { ...OTHER, id: 'level' };
    const gone = worldOf([record(FEATURE_SET, { retired: RETIRED }), record(twin)]);
    expect((await runWith(gone, ['feature-set', 'level'])).out).toContain(digestOf(twin));
    const { code, err } = await runWith(worldOf([record(FEATURE_SET), record(twin)]), ['feature-set', 'level']);
    expect(code).toBe(2);
    expect(err).toContain(HEX);
  });

  test('names those there are when there is no such one', async () => {
    const { code, err } = await runWith(worldOf([record(FEATURE_SET)]), ['feature-set', 'levle']);
    expect(code).toBe(3);
    expect(err).toContain(`level (${HEX})`);
  });
});

describe('millwright retire-feature-set', () => {
  const args = ['retire-feature-set', 'level', '--reason', 'sensor gone'];
  const bodyOf = (world: ReturnType<typeof worldOf>) =>
    (world.calls.at(0)?.payload as { record: { body: { retired: object } }; expectVersion: number }[] | undefined)?.[0];

  test('retires one that nothing needs, by a record that nobody changed meanwhile', async () => {
    const world = worldOf([record(FEATURE_SET)]);
    expect((await runWith(world, args)).code).toBe(0);
    expect(bodyOf(world)).toMatchObject({
      expectVersion: 1,
      record: { body: { retired: { by: 'cli:tester', reason: 'sensor gone', breaks: [] } } },
    });
  });

  test('refuses while a published use case or a champion needs it, and names what breaks', async () => {
    const world = worldOf([record(FEATURE_SET), line(digest('3'), digest('2'))], NAMED);
    const { code, err } = await runWith(world, args);
    expect(code).toBe(1);
    expect(err).toContain('pm/plant-a: its published use case names it');
    expect(err).toContain('pm/plant-a: its champion 222222222222 reads it');
    expect(world.calls).toEqual([]);
  });

  test('does it when somebody accepts that, and keeps what breaks and why that is accepted', async () => {
    const world = worldOf([record(FEATURE_SET), line(digest('3'))], NAMED);
    expect((await runWith(world, [...args, '--accept', 'line is sold'])).code).toBe(0);
    expect(bodyOf(world)?.record.body.retired).toMatchObject({
      accepted: 'line is sold',
      breaks: [expect.stringContaining('its published use case names it')],
    });
  });

  test('refuses one that is retired already', async () => {
    const { code, err } = await runWith(worldOf([record(FEATURE_SET, { retired: RETIRED })]), args);
    expect(code).toBe(2);
    expect(err).toContain('is retired already, by cli:ann: sensor gone');
  });
});

describe('millwright backfill', () => {
  const args = ['backfill', 'level', '--from', '2026-01-01', '--to', '2026-01-31'];
  const ended = (more: object) => ({
    class: 'backfill' as const,
    id: 'backfill-1',
    body: {
      schema: 'backfill/1',
      backfillId: 'backfill-1',
      execution: 'e',
      featureSetDigest: SET,
      site: 'plant-a',
      from: '2026-01-01',
      to: '2026-01-31',
      asset: null,
      requestedBy: 'cli:tester',
      reason: 'r',
      status: 'done',
      detail: '',
      parts: 2,
      objects: 3,
      frames: 9,
      rows: 9,
      written: 1,
      unchanged: 2,
      failures: 0,
      failed: [],
      ...more,
    },
  });

  test('asks for it by an event with the digest', async () => {
    const world = worldOf([record(FEATURE_SET)]);
    const { out } = await runWith(world, [...args, '--asset', 'm1', '--reason', 'new set']);
    expect(out).toContain('backfill-1');
    expect(world.asked).toEqual([
      {
        type: 'BackfillRequested',
        detail: {
          backfillId: 'backfill-1',
          featureSetDigest: SET,
          site: 'plant-a',
          from: '2026-01-01',
          to: '2026-01-31',
          asset: 'm1',
          requestedBy: 'cli:tester',
          reason: 'new set',
        },
      },
    ]);
  });

  test('only says what it would read, with --dry-run', async () => {
    const key = 'raw/frames/site=plant-a/asset=m1/run=r1/0000000001-0000000009.ndjson.gz';
    const raw = { class: 'raw-object' as const, id: key, body: { ...aRawObject({ key }) } };
    const world = fakeWorld({ registry: memoryRegistry([record(FEATURE_SET), raw]), lakeFiles: { [key]: '' } });
    const { out } = await runWith(world, [...args, '--dry-run', '--json']);
    expect(JSON.parse(out)).toMatchObject({ parts: 1, objects: 1, frames: 9, runs: ['m1/r1'], stored: 0 });
    expect((await runWith(world, [...args, '--dry-run'])).out).toContain('1 raw objects with 9 frames of 1 runs');
    expect(world.asked).toEqual([]);
  });

  test('waits for its end, telling how far it is', async () => {
    let asked = 0;
    const registry = memoryRegistry([record(FEATURE_SET)]);
    const world = fakeWorld({
      registry: {
        ...registry,
        latest: async (c, id) => {
          if (c !== 'backfill') return registry.latest(c, id);
          asked += 1;
          return memoryRegistry([ended(asked < 3 ? { status: 'running' } : {})]).latest(c, id);
        },
      },
      lakeFiles: { 'backfills/backfill-1/parts/000000.json': '{}' },
    });
    const { out, code } = await runWith(world, [...args, '--wait']);
    expect(code).toBe(0);
    expect(out).toContain('1 of 2 parts');
    expect(out).toContain('9 rows: 1 objects written, 2 were there with the same bytes');
  });

  test('names the raw objects that gave no rows', async () => {
    const failed = [{ key: 'raw/frames/x', reason: 'its bytes are gone' }];
    const world = worldOf([
      record(FEATURE_SET),
      ended({ status: 'failed', failures: 1, failed, detail: '1 raw objects gave no rows' }),
    ]);
    const { out, err, code } = await runWith(world, [...args, '--wait']);
    expect(code).toBe(1);
    expect(out).toContain('raw/frames/x: its bytes are gone');
    expect(err).toContain('backfill backfill-1 failed: 1 raw objects gave no rows');
  });

  test('does not wait for ever', async () => {
    const { err } = await runWith(worldOf([record(FEATURE_SET)]), [...args, '--wait', '--timeout', '2']);
    expect(err).toContain('did not end within 2 s and never began');
  });

  test.each([
    ['a day that is none', ['--from', 'January'], /Expected a UTC day/],
    ['days in no order', ['--from', '2026-02-01'], /--from 2026-02-01 is after --to 2026-01-31/],
  ])('refuses %s', async (_, more, says) => {
    const { code, err } = await runWith(worldOf([record(FEATURE_SET)]), [...args, ...more]);
    expect(code).toBe(2);
    expect(err).toMatch(says);
  });

  test('refuses a set that is retired', async () => {
    const { err } = await runWith(worldOf([record(FEATURE_SET, { retired: RETIRED })]), args);
    expect(err).toContain('was retired by cli:ann: sensor gone');
  });
});
