import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { artifactKeys } from '../../../core/contracts/lake.ts';
import { LedgerRequest } from '../../../core/contracts/ledger.ts';
import type { PlantModel } from '../../../core/contracts/plant-model.ts';
import { PlantModelRecord } from '../../../core/contracts/plant-model.ts';
import { readPlant } from '../../../core/plant-model/read-plant.ts';
import { plantJson } from '../../../core/plant-model/write-plant.ts';
import { edited, FILES } from '../plant-model/a-plant.ts';
import { type FakeWorld, fakeWorld, memoryRegistry, runWith } from './fakes.ts';

const EXAMPLE = join(__dirname, '../../../config/plant');
const PLANT = readPlant(FILES).plant as PlantModel;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mw-plant-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (files = FILES, into = dir): string => {
  for (const { path, text } of files) {
    mkdirSync(join(into, path, '..'), { recursive: true });
    writeFileSync(join(into, path), text);
  }
  return into;
};
/** Commands on files need no platform. */
const unreachable = (): never => {
  throw new Error('the platform was asked');
};
const run = (...args: string[]) => runWith(unreachable, ['plant', ...args]);

describe('plant check', () => {
  it('passes the plant that the local plant plays, and counts what is in it', async () => {
    expect(await run('check', EXAMPLE)).toEqual({
      code: 0,
      err: '',
      out: `${EXAMPLE}: 5 places, 1 connection, 2 hierarchies, 2 models, 4 assets, 18 signals; no mistake\n`,
    });
  });

  it('holds the example against the use cases: a spindle without its current does not pass', async () => {
    for (const name of [
      'plant.yaml',
      'assets.csv',
      'models/compressor.yaml',
      'asset-signals.csv',
      'models/spindle.yaml',
    ])
      write([
        { path: name, text: readFileSync(join(EXAMPLE, name), 'utf8').replace('name: current', 'name: amperes') },
      ]);
    const { code, out } = await run('check', dir);
    expect(code).toBe(1);
    expect(out).toContain('lacks the signal "current" for use case "predictive-maintenance": add it');
  });

  it('prints every mistake with its place, and fails', async () => {
    write(edited('unit: bar', 'unit: bars', edited('S-2,plc-1', 'S-2,plc-9')));
    expect(await run('check', dir)).toEqual({
      code: 1,
      out: [
        'assets.csv:3  asset "pump-2": connection: there is no connection "plc-9"; did you mean "plc-1"?',
        'models.yaml:9  signal "pump/pressure": unit: "bars" is no UCUM code that is known; did you mean "bar"?\n',
      ].join('\n'),
      err: expect.stringContaining('has 2 mistakes'),
    });
  });

  it('says the same as JSON', async () => {
    write(edited('unit: bar', 'unit: bars'));
    const { code, out } = await run('check', dir, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, counts: null, problems: [{ file: 'models.yaml', line: 9 }] });
  });

  it('takes one file for a plant', async () => {
    write([{ path: 'plant.json', text: plantJson(PLANT) }]);
    expect((await run('check', join(dir, 'plant.json'))).code).toBe(0);
  });

  it('leaves hidden folders alone', async () => {
    write([...FILES, { path: '.git/old.yaml', text: 'nothing' }]);
    expect((await run('check', dir)).code).toBe(0);
  });

  it.each([
    ['there is nothing', () => join(dir, 'absent'), 3],
    ['there is no file of a plant', () => dir, 2],
  ])('says so where %s', async (_, path, code) => expect((await run('check', path())).code).toBe(code));
});

describe('plant show', () => {
  it('tells where an asset is and what it measures, with units and addresses', async () => {
    const { out } = await run('show', EXAMPLE, 'spindle-101');
    expect(out).toContain('physical      example/plant-a/machining/line-1/cell-1/spindle-101');
    expect(out).toContain('energy        feeder-1/sub-distribution-1/spindle-101');
    expect(out).toMatch(/temperature {2}double +Cel +CEL +0 … 90 +every 3600 s +high +spindle-101\/temperature/);
  });

  it('names connections that are not the one of the asset, and what is taken on change', async () => {
    write([
      ...FILES,
      { path: 'more.yaml', text: 'schema: plant-model/1\nconnections: [{id: gw, protocol: mqtt, endpoint: x}]\n' },
      { path: 'asset-signals.csv', text: 'asset,name,connection,address\npump-1,pressure,gw,p/1\n' },
    ]);
    const { out } = await run('show', dir, 'pump-1');
    expect(out).toMatch(/pressure .* gw p\/1\n/);
    expect(out).toMatch(/running +boolean +1 +C62 +– +on change, 60 s at most +low +ns=2;s=pump-1\.on/);
  });

  it('gives the unitId of OPC UA as JSON', async () => {
    const { out } = await run('show', EXAMPLE, 'spindle-101', '--json');
    const { signals } = JSON.parse(out).asset;
    expect(signals.find((s: { name: string }) => s.name === 'temperature')).toMatchObject({
      unitName: 'degree Celsius',
      opcUaUnitId: 4408652,
    });
  });

  it.each([
    ['spindel-101', 'did you mean "spindle-101"?'],
    ['x', 'millwright plant export'],
  ])('says that there is no %s, and what to do', async (id, advice) => {
    const { code, err } = await run('show', EXAMPLE, id);
    expect(code).toBe(3);
    expect(err).toContain(advice);
  });
});

describe('plant export and import', () => {
  it.each(['csv', 'json'] as const)('carry a plant there and back as %s', async (format) => {
    const out = join(dir, format === 'csv' ? 'tables' : 'plant.json');
    const there = await run('export', EXAMPLE, '--format', format, '--out', out);
    expect(there).toMatchObject({ code: 0, err: '' });
    const back = join(dir, 'back');
    expect((await run('import', out, '--out', back)).code).toBe(0);
    const [was, is] = [await run('export', EXAMPLE, '--format', 'json'), await run('export', back, '--format', 'json')];
    expect(JSON.parse(is.out)).toEqual(JSON.parse(was.out));
    expect(readdirSync(back).sort()).toEqual(['asset-signals.csv', 'assets.csv', 'models', 'plant.yaml']);
  });

  it('import writes over its own files, and refuses to mix with others', async () => {
    const back = join(dir, 'back');
    expect((await run('import', write(FILES, join(dir, 'a')), '--out', back)).code).toBe(0);
    expect((await run('import', join(dir, 'a'), '--out', back)).code).toBe(0);
    write([{ path: 'models/old.yaml', text: '' }], back);
    const { code, err } = await run('import', join(dir, 'a'), '--out', back);
    expect(code).toBe(2);
    expect(err).toContain('models/old.yaml');
  });

  it('import refuses to write into a file', async () => {
    const file = join(write(FILES, join(dir, 'a')), 'plant.yaml');
    expect(await run('import', join(dir, 'a'), '--out', file)).toMatchObject({
      code: 2,
      err: expect.stringContaining('is no folder'),
    });
  });

  it('import of a plant with a mistake writes nothing', async () => {
    write(edited('unit: bar', 'unit: bars'));
    const { code, err } = await run('import', dir, '--out', join(dir, 'back'));
    expect(code).toBe(1);
    expect(err).toContain('models.yaml:9');
    expect(existsSync(join(dir, 'back'))).toBe(false);
  });

  it('export says so when a file cannot be written', async () => {
    const nowhere = await run('export', EXAMPLE, '--format', 'json', '--out', join(dir, 'no', 'plant.json'));
    expect(nowhere).toMatchObject({ code: 2, err: expect.stringContaining('make the folder first') });
    const folder = await run('export', EXAMPLE, '--format', 'json', '--out', dir);
    expect(folder).toMatchObject({ code: 1, err: expect.stringContaining('cannot be written') });
  });

  it('export of CSV needs a folder', async () =>
    expect(await run('export', EXAMPLE, '--format', 'csv')).toMatchObject({
      code: 2,
      err: expect.stringContaining('--out FOLDER'),
    }));
});

describe('plant publish', () => {
  const recordOf = (world: FakeWorld): PlantModelRecord =>
    PlantModelRecord.parse(
      (world.calls[0]?.payload as readonly { record: { body: unknown } }[] | undefined)?.[0]?.record.body,
    );
  /** A stage where the plant of `FILES` is in force. */
  const published = async (): Promise<{ world: FakeWorld; record: PlantModelRecord }> => {
    const first = fakeWorld();
    await runWith(first, ['plant', 'publish', write()]);
    const record = recordOf(first);
    const registry = memoryRegistry([{ class: 'plant-model', id: 'plant-a', body: { ...record }, version: 4 }]);
    return { world: fakeWorld({ registry, artifactFiles: first.artifactFiles }), record };
  };

  it('puts the canonical document under its digest and registers it for the site', async () => {
    const world = fakeWorld();
    const { code } = await runWith(world, ['plant', 'publish', write()]);
    expect(code).toBe(0);
    const record = recordOf(world);
    expect(LedgerRequest.safeParse({ commands: world.calls[0]?.payload }).success).toBe(true);
    expect(record).toMatchObject({ site: 'plant-a', enterprise: 'acme', counts: { assets: 2, signals: 4 } });
    expect(JSON.parse(world.artifactFiles[artifactKeys.plantModel(record.digest)] ?? '')).toEqual(PLANT);
    expect(world.calls[0]?.payload).toMatchObject([
      { record: { class: 'plant-model', id: 'plant-a' }, expectVersion: 0 },
    ]);
  });

  it('leaves alone what did not change', async () => {
    const { world } = await published();
    const { out } = await runWith(world, ['plant', 'publish', write()]);
    expect(out).toContain('unchanged');
    expect(world.calls).toEqual([]);
  });

  it('tells what changed since the one in force', async () => {
    const { world } = await published();
    const more = Array.from({ length: 9 }, (_, i) => `pump-${i + 3},pump,cell-1,,plc-1\n`).join('');
    const { out } = await runWith(world, ['plant', 'publish', write(edited('S-2,plc-1\n', `S-2,plc-1\n${more}`))]);
    expect(out).toContain('  added    asset "pump-3"\n');
    expect(out).toContain('  added    … and 1 more\n');
    expect(world.calls[0]?.payload).toMatchObject([{ expectVersion: 4 }]);
  });

  it('refuses a change of a unit that the version of the signal does not say', async () => {
    const { world } = await published();
    const { code, err } = await runWith(world, ['plant', 'publish', write(edited('unit: bar', 'unit: MPa'))]);
    expect(code).toBe(1);
    expect(err).toContain('signal "pump/pressure" changes its unit from bar to MPa');
    expect(world.calls).toEqual([]);
  });

  it('refuses a plant without the site of the stage', async () => {
    write(
      edited('{id: plant-a, level: site}', '{id: plant-b, level: site}', edited('within: plant-a', 'within: plant-b')),
    );
    const { code, err } = await runWith(fakeWorld(), ['plant', 'publish', dir]);
    expect(code).toBe(2);
    expect(err).toContain('it has plant-b');
  });

  it('refuses a plant with a mistake', async () => {
    write(edited('unit: bar', 'unit: bars'));
    expect((await runWith(fakeWorld(), ['plant', 'publish', dir])).code).toBe(1);
  });

  it('says so when the document in force is gone', async () => {
    const { world, record } = await published();
    delete world.artifactFiles[artifactKeys.plantModel(record.digest)];
    const { code, err } = await runWith(world, ['plant', 'publish', write(edited('S-2', 'S-3'))]);
    expect(code).toBe(3);
    expect(err).toContain('is not in the artifacts bucket');
  });
});
