import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeKeys } from '#core/contracts/lake.ts';
import type { PlantEvent } from '#core/contracts/plant-event.ts';
import { TrainingSetManifest } from '#core/contracts/training-set.ts';
import { featureSetRecord } from '#core/feature-sets/record.ts';
import type { StoreRow } from '#core/feature-sets/row-history.ts';
import { readParquet } from '#core/lake/parquet.ts';
import { digestOf } from '#core/lineage/digest.ts';
import { splitOf } from '#core/policy/split.ts';
import type { World } from '../../../cli/world.ts';
import { rowsToParquet } from '../../../lambdas/shared/table-file.ts';
import { definitions } from '../../../use-cases/predictive-maintenance/use-case.ts';
import { aFailure } from '../../support/a-failure.ts';
import { versionedStore } from '../../support/feature-store.ts';
import { digest, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const useCase = (definitions[0] as (typeof definitions)[number]).useCase;
const featureSet = useCase.featureSet;
const featureSetDigest = digestOf(featureSet);
const width = featureSet.features.length;
const day = (n: number): string => new Date(Date.UTC(2026, 0, 1 + n)).toISOString();
const row = (run: string, index: number, known: number, x: number): StoreRow => ({
  asset: 'm1',
  run,
  index,
  context: 'c',
  valid_time: day(index),
  known_time: day(known),
  x: new Array(width).fill(x),
  source: `raw/${run}/${known}`,
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mw-training-set-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const failure = (over: Partial<PlantEvent>): PlantEvent =>
  aFailure({ index: 2, validTime: day(2), knownTime: day(4), ...over });

/** A stage whose store has two runs: r1 of three frames, the first of which was corrected on day 6, and r2 of one. */
const stage = async (events: readonly { body: object; version?: number; id?: string }[] = [{ body: failure({}) }]) => {
  const store = versionedStore();
  const put = (run: string, source: string, rows: readonly StoreRow[]) =>
    store.put(
      storeKeys.rows({
        featureSet: featureSetDigest,
        site: 'plant-a',
        date: (rows[0] as StoreRow).valid_time.slice(0, 10),
        asset: 'm1',
        run,
        first: 1,
        last: 9,
        source: digest(source),
      }),
      rowsToParquet('features', rows),
    );
  await put('r1', 'a', [row('r1', 1, 1, 1)]);
  await put('r1', 'b', [row('r1', 2, 2, 2), row('r1', 3, 3, 3)]);
  await put('r1', 'c', [row('r1', 1, 6, 100)]);
  await put('r2', 'd', [row('r2', 5, 5, 5)]);
  const registry = memoryRegistry([
    { class: 'feature-set', id: featureSetDigest, body: featureSetRecord(useCase) },
    { class: 'use-case', id: digestOf(useCase), body: useCase },
    ...events.map(({ body, version = 1, id = 'e1' }) => ({
      class: 'plant-event' as const,
      id: `plant-a/${id}`,
      body: body as Record<string, unknown>,
      version,
    })),
  ]);
  const get: World['lake']['get'] = async (key, versionId) => {
    try {
      return { body: await store.get(key, versionId), versionId: versionId ?? '0' };
    } catch {
      return null;
    }
  };
  const world = fakeWorld({ registry, lake: { ...store, name: 'lake', get, put: async () => {} } });
  return { world, store, put };
};

const labels = (rows: string): Record<string, string> => ({ 'labels.csv': `asset,time,label,known_time\n${rows}` });
const out = (name = 'rows.parquet'): string => join(folder, name);
const manifestOf = (file: string) =>
  TrainingSetManifest.parse(JSON.parse(readFileSync(`${file}.manifest.json`, 'utf8')));

describe('millwright training-set', () => {
  it('joins labels of a file with what was known at their time', async () => {
    const { world } = await stage();
    const files = labels(`m1,${day(2)},0,\nm1,${day(1)},1,${day(8)}\nm1,${day(7)},2,${day(20)}\n`);
    const args = ['training-set', featureSet.id, '--labels', 'labels.csv', '--known-at', day(10), '--out', out()];
    const { code, err, out: said } = await runWith(world, args, files);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const rows = await readParquet(readFileSync(out()));
    expect(rows.map((r) => [r['label'], r['index'], r['x']])).toEqual([
      [0, 2, new Array(width).fill(2)],
      [1, 1, new Array(width).fill(1)],
    ]);
    expect(said).toContain('2 rows of');
    expect(manifestOf(out())).toMatchObject({
      featureSetDigest,
      knownAt: day(10),
      rows: 2,
      labels: { from: 'file', known: 2, without: 0 },
    });
  });

  it('labels the frames of runs that are known to have failed', async () => {
    const { world } = await stage();
    const args = ['training-set', featureSetDigest.slice(7, 19), '--from-events', '--known-at', day(9), '--out', out()];
    const { code, err } = await runWith(world, args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const rows = await readParquet(readFileSync(out()));
    expect(rows.map((r) => [r['run'], r['index'], r['label'], (r['x'] as number[])[0]])).toEqual([
      ['r1', 1, 1, 1],
      ['r1', 2, 0, 2],
    ]);
    expect(manifestOf(out()).labels).toMatchObject({
      from: 'events',
      ended: [{ run: 'r1', endedAt: 2, events: ['e1'] }],
      running: 0,
    });
  });

  it('leaves out runs that are sealed for tests, and says so, unless it is told to keep them', async () => {
    expect(splitOf(useCase.seal, 'm1', 'r2')).toBe('test');
    const { world } = await stage([
      { body: failure({}) },
      { body: failure({ eventId: 'e2', run: 'r2', index: 5 }), id: 'e2' },
    ]);
    const made = async (...more: string[]) => {
      const files = labels(`m1,${day(7)},2,\nm1,${day(4)},1,\n`);
      const { out: said } = await runWith(
        world,
        ['training-set', featureSet.id, ...more, '--known-at', day(9), '--out', out()],
        files,
      );
      const rows = await readParquet(readFileSync(out()));
      return [
        rows.map((r) => `${r['run']}/${r['index']}`),
        manifestOf(out()).sealed,
        said.includes('1 runs are sealed'),
      ];
    };
    const file = ['--labels', 'labels.csv'];
    expect(await made(...file)).toEqual([['r1/3'], ['m1/r2'], true]);
    expect(await made(...file, '--with-sealed')).toEqual([['r2/5', 'r1/3'], [], false]);
    expect(await made('--from-events')).toEqual([['r1/1', 'r1/2'], ['m1/r2'], true]);
    expect(await made('--from-events', '--with-sealed')).toEqual([['r1/1', 'r1/2', 'r2/5'], [], false]);
  });

  it('knows of no failure that was reported later, and of what a report said before it was corrected', async () => {
    const { world } = await stage([
      { body: failure({ index: 3, knownTime: day(8) }), version: 2 },
      { body: failure({ index: 2, knownTime: day(4) }), version: 1 },
    ]);
    const ends = async (known: number) => {
      await runWith(world, ['training-set', featureSet.id, '--from-events', '--known-at', day(known), '--out', out()]);
      const { labels: of } = manifestOf(out());
      return of.from === 'events' ? of.ended.map((e) => e.endedAt) : null;
    };
    expect([await ends(3), await ends(5), await ends(9)]).toEqual([[], [2], [3]]);
  });

  it('writes CSV with a column for each feature', async () => {
    const { world } = await stage();
    const args = ['training-set', featureSet.id, '--labels', 'labels.csv', '--out', out('rows.csv'), '--json'];
    const { code, out: said } = await runWith(world, args, labels(`m1,${day(0)},0,\nm1,${day(1)},1,\n`));
    expect(code).toBe(0);
    expect(JSON.parse(said)).toMatchObject({ rows: 1, digest: manifestOf(out('rows.csv')).digest });
    const [heading, first] = readFileSync(out('rows.csv'), 'utf8').split('\n');
    expect(heading).toBe(
      `asset,run,valid_time,known_time,label_time,source,index,label,${featureSet.features.map((f) => f.name).join(',')}`,
    );
    expect(first).toContain(`m1,r1,${day(1)},${day(1)},${day(1)},raw/r1/1,1,1,1,1`);
  });

  it.each([
    [['--labels', 'labels.csv'], labels(`m1,${day(7)},2,\nm1,${day(4)},1,\n`)],
    [['--from-events'], {}],
  ])('makes the same rows again from their manifest, whatever came since: %j', async (how, files) => {
    const { world, put } = await stage();
    await runWith(world, ['training-set', featureSet.id, ...how, '--known-at', day(9), '--out', out()], files);
    const before = readFileSync(out());
    await put('r1', 'b', [row('r1', 2, 2, 77), row('r1', 3, 3, 77)]);
    await put('r1', 'e', [row('r1', 2, 3, 99)]);
    const again = {
      'manifest.json': readFileSync(`${out()}.manifest.json`, 'utf8'),
      ...files,
    };
    const more = how[0] === '--labels' ? how : [];
    const args = ['training-set', '--again', 'manifest.json', ...more, '--out', out('again.parquet')];
    const { code, err } = await runWith(world, args, again);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(readFileSync(out('again.parquet')).equals(before)).toBe(true);
  });

  it('says so when rows cannot be made again', async () => {
    const { world, store } = await stage();
    const files = labels(`m1,${day(2)},2,\n`);
    await runWith(
      world,
      ['training-set', featureSet.id, '--labels', 'labels.csv', '--known-at', day(9), '--out', out()],
      files,
    );
    const manifest = readFileSync(`${out()}.manifest.json`, 'utf8');
    const again = (text: string, more: readonly string[], labelText = files['labels.csv'] as string) =>
      runWith(world, ['training-set', '--again', 'm', ...more, '--out', out()], { m: text, 'labels.csv': labelText });
    expect((await again('{', [])).err).toContain('m is no JSON');
    expect((await again(manifest, [])).err).toContain('was made with a file of labels');
    expect((await again(manifest, ['--labels', 'labels.csv'], 'asset,time,label\n')).err).toContain('another one');
    const digests = manifest.replace(manifestOf(out()).digest, digest('0'));
    expect((await again(digests, ['--labels', 'labels.csv'])).err).toContain('the rows come out otherwise');
    expect(
      (await runWith(world, ['training-set', '--again', 'm', '--out', out('x.csv')], { m: manifest })).err,
    ).toContain('the manifest is of a parquet file');
    for (const { key } of manifestOf(out()).objects) store.forget(key);
    expect((await again(manifest, ['--labels', 'labels.csv'])).err).toContain('its retention is over');
  });

  it.each([
    [['--labels', 'labels.csv', '--out', 'x.txt'], {}, 'is no format that is written'],
    [['--out', 'x.csv'], {}, 'labels are missing'],
    [['--labels', 'labels.csv', '--out', 'x.csv'], labels('m1,monday,1,\n'), 'line 2 of labels.csv: time:'],
    [['--labels', 'labels.csv', '--out', 'x.csv'], labels(''), 'labels.csv has no labels'],
    [['--labels', 'labels.csv', '--out', 'x.csv', '--known-at', 'now'], {}, 'Expected UTC'],
    [['--labels', 'labels.csv', '--out', 'x.csv', '--max-age-days', '0'], {}, 'Expected a number of days'],
    [['--labels', 'labels.csv', '--out', 'x.csv', '--max-age-days', '1e8'], {}, 'above 0, at most 36500'],
    [['--labels', 'labels.csv', '--out', 'x.csv'], labels(`m1,${day(9)},1,\n`), 'none of the 1 labels of labels.csv'],
    [['--from-events', '--use-case', 'other', '--out', 'x.csv'], {}, 'no use case "other" has the feature set'],
    [['--again', 'm', '--out', 'x.csv'], {}, 'm says which feature set'],
    [['--from-events', '--out', 'no/such/x.csv'], {}, 'there is no folder no/such'],
    [['--again', 'm', '--with-sealed', '--out', 'x.csv'], {}, 'cannot be used with'],
    [['--from-events', '--asset', 'm9', '--out', 'x.csv'], {}, 'the store has no rows of'],
  ])('says what is wrong with %j', async (args, files, says) => {
    const { world } = await stage();
    const { code, err } = await runWith(world, ['training-set', featureSet.id, ...args], files);
    expect(code).not.toBe(0);
    expect(err.replaceAll(/\s+/g, ' ')).toContain(says);
  });

  it('says which feature sets there are when the name is none, or the name of none is given', async () => {
    const { world } = await stage();
    const missing = await runWith(world, ['training-set', 'nothing', '--from-events', '--out', out()]);
    expect(missing.code).toBe(3);
    expect(missing.err).toContain(featureSet.id);
    expect((await runWith(world, ['training-set', '--from-events', '--out', out()])).err).toContain(
      'of which feature set',
    );
    const empty = await runWith(fakeWorld(), ['training-set', 'x', '--from-events', '--out', out()]);
    expect(empty.err).toContain('publish a use case first');
  });

  it('refuses rows of another width than the feature set has', async () => {
    const { world, put } = await stage();
    await put('r3', 'f', [{ ...row('r3', 1, 1, 1), x: [1, 2] }]);
    const { err } = await runWith(world, ['training-set', featureSet.id, '--from-events', '--out', out()]);
    expect(err).toContain('a row of m1/r3 has 2 features');
  });
});
