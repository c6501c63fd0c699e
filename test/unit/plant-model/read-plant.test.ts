import fc from 'fast-check';
import type { PlantFile } from '#core/plant-model/problem.ts';
import { readPlant } from '#core/plant-model/read-plant.ts';
import { ASSETS_CSV, edited, FILES, MODELS_YAML, PLANT_YAML, problemsOf } from './a-plant.ts';

const withFile = (path: string, text: string): readonly PlantFile[] => [...FILES, { path, text }];
const SIGNAL = '        unit: bar\n';

it('reads a sound plant from YAML and CSV', () => {
  const { plant, problems } = readPlant(FILES);
  expect(problems).toEqual([]);
  expect(plant).toMatchObject({
    enterprise: { id: 'acme' },
    hierarchies: [{ id: 'energy', nodes: [{ id: 'feeder-1' }, { id: 'feeder-2', assets: ['pump-1'] }] }],
    models: [{ id: 'pump', version: 1, signals: [{ name: 'pressure', unit: 'bar' }, { name: 'running' }] }],
    assets: [{ id: 'pump-1', serial: 'S-1' }, { id: 'pump-2' }],
  });
});

it('is the same plant however it is split over files and in whatever order', () => {
  const [plant, models, assets] = FILES as [PlantFile, PlantFile, PlantFile];
  const [heading, one, two] = ASSETS_CSV.split('\n');
  const split = [
    { path: 'sub/assets.line-2.csv', text: `${heading}\n${two}\n` },
    models,
    { path: 'assets.csv', text: `${heading}\n${one}\n` },
    plant,
  ];
  expect(readPlant(split)).toEqual(readPlant([plant, models, assets]));
});

describe('a mistake is named with its file and line, what was expected and what to do', () => {
  it.each([
    [
      'an unknown unit',
      edited(SIGNAL, '        unit: °C\n'),
      'models.yaml:9 signal "pump/pressure": unit: "°C" is no UCUM code that is known; did you mean "Cel"?',
    ],
    [
      'a unit that is like none',
      edited(SIGNAL, '        unit: gazonk-feel\n'),
      'models.yaml:9 signal "pump/pressure": unit: "gazonk-feel" is no UCUM code that is known; see https://ucum.org',
    ],
    [
      'a common code of another unit',
      edited(SIGNAL, `${SIGNAL}        rec20: KPA\n`),
      'models.yaml:10 signal "pump/pressure": rec20: "KPA" is "kPa", the unit is "bar": write "BAR", or leave it out',
    ],
    [
      'a common code that is none',
      edited(SIGNAL, `${SIGNAL}        rec20: ZZZ\n`),
      'models.yaml:10 signal "pump/pressure": rec20: "ZZZ" is no common code that is known, the unit is "bar": write "BAR", or leave it out',
    ],
    [
      'a common code of a unit that has none',
      edited(SIGNAL, '        unit: bar.m5\n        rec20: BAR\n'),
      'models.yaml:10 signal "pump/pressure": rec20: "BAR" is "bar", the unit is "bar.m5": leave it out',
    ],
    [
      'a unit of a boolean',
      edited('unit: "1"', 'unit: V'),
      'models.yaml:17 signal "pump/running": unit: a boolean has no unit: write "1", not "V"',
    ],
    [
      'a range that is inverted',
      edited('engineeringRange: [0, 10]', 'engineeringRange: [10, 0]'),
      'models.yaml:10 signal "pump/pressure": engineeringRange: it begins at 10 and ends at 0: write the smaller number first',
    ],
    [
      'a range of a boolean',
      edited('unit: "1"\n', 'unit: "1"\n        engineeringRange: [0, 1]\n'),
      'models.yaml:18 signal "pump/running": engineeringRange: a boolean has no range: leave it out',
    ],
    [
      'normal operation beyond the instrument',
      edited('[0, 16]', '[0, 6]'),
      'models.yaml:10 signal "pump/pressure": engineeringRange: 0 to 10 goes beyond what the instrument can return, 0 to 6',
    ],
    [
      'a rule of quality that makes normal values bad',
      edited(SIGNAL, `${SIGNAL}        quality: {range: [0, 5]}\n`),
      'models.yaml:10 signal "pump/pressure": quality.range: 0 to 5 makes values of normal operation BAD, 0 to 10',
    ],
    [
      'an interval that is not the one of sampling',
      edited(SIGNAL, `${SIGNAL}        quality: {intervalSeconds: 2}\n`),
      'models.yaml:10 signal "pump/pressure": quality.intervalSeconds: it is 2 s, the sampling interval is 1 s: leave it out',
    ],
    [
      'sampling without an interval',
      edited('{mode: periodic, intervalSeconds: 1}', '{mode: periodic}'),
      'models.yaml:12 signal "pump/pressure": "sampling.intervalSeconds" is missing, expected number',
    ],
    [
      'a deadband of percent without a range',
      edited(
        '        engineeringRange: [0, 10]\n        instrumentRange: [0, 16]\n        sampling: {mode: periodic, intervalSeconds: 1}\n',
        '        sampling:\n          mode: exception\n          maxSilenceSeconds: 9\n          deadband: {kind: percent, value: 1}\n',
      ),
      'models.yaml:13 signal "pump/pressure": sampling.deadband: percent of what? Add "engineeringRange": without one it would be percent of all numbers there are',
    ],
    [
      'a deadband of a boolean',
      edited('maxSilenceSeconds: 60}', 'maxSilenceSeconds: 60, deadband: {kind: absolute, value: 1}}'),
      'models.yaml:18 signal "pump/running": sampling.deadband: a boolean has no deadband: leave it out',
    ],
    [
      'report by exception without a longest silence',
      edited('{mode: exception, maxSilenceSeconds: 60}', '{mode: exception}'),
      'models.yaml:18 signal "pump/running": "sampling.maxSilenceSeconds" is missing, expected number',
    ],
    [
      'a gap that the sampling allows',
      edited('unit: "1"\n', 'unit: "1"\n        quality: {gapSeconds: 30}\n'),
      'models.yaml:18 signal "pump/running": quality.gapSeconds: a silence of 30 s would be a gap, but 60 s of it are allowed',
    ],
    [
      'a waveform without its rate',
      edited('dataType: double', 'dataType: waveform\n        samples: 512'),
      'models.yaml:7 signal "pump/pressure": sampleRateHz: a waveform needs it',
    ],
    [
      'a rate of what is no waveform',
      edited(SIGNAL, `${SIGNAL}        sampleRateHz: 5\n`),
      'models.yaml:10 signal "pump/pressure": sampleRateHz: only a waveform has it; this is a double',
    ],
    [
      'waveforms that overlap',
      edited('dataType: double', 'dataType: waveform\n        samples: 512\n        sampleRateHz: 256'),
      'models.yaml:14 signal "pump/pressure": sampling.intervalSeconds: a waveform takes 2 s, and the next begins after 1 s',
    ],
    [
      'an id that is there twice',
      withFile('assets.more.csv', 'id,model,at\npump-1,pump,cell-1\n'),
      'assets.more.csv:2 asset "pump-1" is there twice; the first is at assets.csv:2',
    ],
    [
      'a signal that is there twice',
      edited('name: running', 'name: pressure'),
      'models.yaml:15 signal "pump/pressure" is there twice; the first is at models.yaml:7',
    ],
    [
      'a second enterprise',
      withFile('other.yaml', 'schema: plant-model/1\nenterprise: {id: other}\n'),
      'other.yaml:2 the enterprise is there twice; the first is at plant.yaml:2',
    ],
    [
      'no enterprise',
      edited('enterprise:\n  id: acme\n', ''),
      'plant.yaml:1 the enterprise is missing: write "enterprise:" with its "id"',
    ],
    [
      'a model that is not there',
      edited('pump-2,pump,', 'pump-2,pumps,'),
      'assets.csv:3 asset "pump-2": model: there is no asset model "pumps"; did you mean "pump"?',
    ],
    [
      'a place that is not there',
      edited('pump-2,pump,cell-1', 'pump-2,pump,roof'),
      'assets.csv:3 asset "pump-2": at: there is no place "roof": add it, or mend the name',
    ],
    [
      'a connection that is not there',
      edited('S-2,plc-1', 'S-2,plc-7'),
      'assets.csv:3 asset "pump-2": connection: there is no connection "plc-7"; did you mean "plc-1"?',
    ],
    [
      'a level that is skipped',
      edited('level: production-line, within: hall-1', 'level: production-line, within: plant-a'),
      'plant.yaml:7 place "line-1": a production-line lies within an area; "plant-a" is a site',
    ],
    [
      'a place that lies within itself',
      edited('level: area, within: plant-a', 'level: area, within: hall-1'),
      'plant.yaml:6 place "hall-1": an area lies within a site; "hall-1" is an area',
    ],
    [
      'a place that lies nowhere',
      edited('level: area, within: plant-a', 'level: area'),
      'plant.yaml:6 place "hall-1": "within" is missing: a site that it lies in',
    ],
    [
      'a site within something',
      edited('level: site', 'level: site, within: hall-1'),
      'plant.yaml:5 place "plant-a": a site lies within the enterprise "acme": leave "within" out',
    ],
    [
      'a place within one that is not there',
      edited('within: hall-1', 'within: hall-2'),
      'plant.yaml:7 place "line-1": there is no place "hall-2"; did you mean "hall-1"?',
    ],
    [
      'a hierarchy with a circle',
      edited('- {id: feeder-1}', '- {id: feeder-1, within: feeder-2}'),
      'plant.yaml:14 hierarchy "energy" goes in a circle: feeder-1 within feeder-2 within feeder-1; one of them must be at the top',
    ],
    [
      'an asset that is in a hierarchy twice',
      edited('- {id: feeder-1}', '- {id: feeder-1, assets: [pump-2, pump-1]}'),
      'plant.yaml:15 node "energy/feeder-2": asset "pump-1" is in this hierarchy twice; it is at node "feeder-1" already',
    ],
    [
      'an asset of a hierarchy that is not there',
      edited('assets: [pump-1]', 'assets: [valve-9]'),
      'plant.yaml:15 node "energy/feeder-2": there is no asset "valve-9": add it, or mend the name',
    ],
    [
      'a node within one that is not there',
      edited('within: feeder-1', 'within: feeder-9'),
      'plant.yaml:15 node "energy/feeder-2": hierarchy "energy" has no node "feeder-9": add it, or mend the name',
    ],
    [
      'a hierarchy that takes the name of the physical one',
      edited('id: energy', 'id: physical'),
      'plant.yaml:12 hierarchy "physical": id: "physical" is the hierarchy that the places make, it is "physical"',
    ],
    [
      'a signal that the model lacks',
      withFile('asset-signals.csv', 'asset,name,unit\npump-1,presure,kPa\n'),
      'asset-signals.csv:2 signal "pump-1/presure": the model "pump" has no signal of this name; did you mean "pressure"?',
    ],
    [
      'a signal that is like none of the model',
      withFile('asset-signals.csv', 'asset,name,unit\npump-1,viscosity,cP\n'),
      'asset-signals.csv:2 signal "pump-1/viscosity": the model "pump" has no signal of this name; it has pressure, running',
    ],
    [
      'a signal of an asset that is not there',
      withFile('asset-signals.csv', 'asset,name,unit\npump-7,pressure,kPa\n'),
      'asset-signals.csv:2 there is no asset "pump-7"; did you mean "pump-1"?',
    ],
    [
      'a signal of an asset that measures something else',
      withFile('asset-signals.csv', 'asset,name,unit\npump-1,pressure,Cel\n'),
      'asset-signals.csv:2 signal "pump-1/pressure": unit: "Cel" measures something else than "bar" of the model',
    ],
    [
      'a connection of a signal that is not there',
      withFile('asset-signals.csv', 'asset,name,connection\npump-1,pressure,plc-8\n'),
      'asset-signals.csv:2 signal "pump-1/pressure": there is no connection "plc-8"; did you mean "plc-1"?',
    ],
    [
      'what an asset makes wrong in a signal of its model',
      withFile('asset-signals.csv', 'asset,name,instrumentRange\npump-1,pressure,0..6\n'),
      'asset-signals.csv:2 signal "pump-1/pressure": engineeringRange: 0 to 10 goes beyond what the instrument can return, 0 to 6',
    ],
    [
      'two signals on one address',
      withFile('asset-signals.csv', 'asset,name,address\npump-2,pressure,ns=2;s=pump-1.on\n'),
      'asset-signals.csv:2 signal "pump-2/pressure": "ns=2;s=pump-1.on" of connection "plc-1" is signal "pump-1/running" already: mend one of the two',
    ],
    [
      'an address of its own without a connection',
      [
        ...edited('S-2,plc-1', 'S-2,'),
        { path: 'asset-signals.csv', text: 'asset,name,address\npump-2,pressure,ns=3;s=x\n' },
      ],
      'asset-signals.csv:2 signal "pump-2/pressure": it has the address "ns=3;s=x" and no connection: name one at the signal or at its asset',
    ],
    [
      'an address by a serial number that is not there',
      edited('pump-2,pump,cell-1,S-2', 'pump-2,pump,cell-1,', edited('s={asset}.p', 's={serial}.p')),
      'assets.csv:3 signal "pump-2/pressure": its address "ns=2;s={serial}.p" names the serial number: add "serial" to asset "pump-2"',
    ],
    [
      'a model without signals',
      withFile('models.csv', 'id,assetClass,owner\nvalve,valve,me\n'),
      'models.csv:2 asset model "valve" has no signals: add "signals"',
    ],
    [
      'a field that is not there',
      edited('criticality: high', 'critcality: high'),
      'models.yaml:13 signal "pump/pressure": there is no field "critcality"; did you mean "criticality"?',
    ],
    [
      'a field that is like none',
      edited('criticality: high', 'criticality: high\n        colour: red'),
      'models.yaml:14 signal "pump/pressure": there is no field "colour"; there are model, name, says, dataType, unit, rec20, engineeringRange, instrumentRange, sampling, sampleRateHz, samples, quality, criticality, owner, version, address',
    ],
    [
      'a field within another that is not there',
      edited('{mode: periodic, intervalSeconds: 1}', '{mode: periodic, intervalSeconds: 1, jitter: 2}'),
      'models.yaml:12 signal "pump/pressure": there is no field "jitter" in sampling',
    ],
    [
      'a number where a text is expected',
      edited('owner: maintenance', 'owner: 4711'),
      'models.yaml:5 asset model "pump": owner: expected string, it is 4711; write it in quotes',
    ],
    [
      'an owner within what it owns',
      edited('      - name: running', '      - name: running\n        model: other'),
      'models.yaml:16 "model" is where this lies: leave it out',
    ],
    [
      'a section that is none',
      edited('places:', 'locations:'),
      'plant.yaml:4 "locations" is no section; there are enterprise, places, connections, hierarchies, models, assets',
    ],
    [
      'a list that is none',
      withFile('other.yaml', 'schema: plant-model/1\nassets: {}\n'),
      'other.yaml:2 a list is expected here: "- id: …"',
    ],
    [
      'parts that are no list',
      edited(
        '    nodes:\n      - {id: feeder-1}\n      - {id: feeder-2, within: feeder-1, assets: [pump-1]}',
        '    nodes: none',
      ),
      'plant.yaml:13 a list is expected here: "- id: …"',
    ],
    [
      'an entry without fields',
      withFile('other.yaml', 'schema: plant-model/1\nassets:\n  - pump-9\n'),
      'other.yaml:3 fields are expected here: "name: value"',
    ],
    [
      'another schema',
      edited('schema: plant-model/1\nenterprise', 'schema: plant-model/9\nenterprise'),
      'plant.yaml:1 schema is "plant-model/9": write "schema: plant-model/1"',
    ],
    [
      'no schema',
      edited('schema: plant-model/1\nenterprise', 'enterprise'),
      'plant.yaml:1 schema is missing: write "schema: plant-model/1"',
    ],
    [
      'a file that is no document of a plant',
      withFile('other.yaml', '- 1\n- 2\n'),
      'other.yaml:1 expected "schema: plant-model/1" and sections (enterprise, places, connections, hierarchies, models, assets)',
    ],
    [
      'a column that is not there',
      edited('id,model,at,serial,connection', 'id,model,at,seral,connection'),
      'assets.csv:1 assets have no column "seral"; did you mean "serial"?',
    ],
    [
      'a column that is there twice',
      edited('id,model,at,serial,connection', 'id,model,at,model,connection'),
      'assets.csv:1 the column "model" is there twice',
    ],
    [
      'a column that must be there',
      edited('id,model,at,serial,connection', 'name,model,at,serial,connection'),
      'assets.csv:1 the column "id" is missing',
    ],
    [
      'a row with too few cells',
      edited('pump-2,pump,cell-1,S-2,plc-1', 'pump-2,pump'),
      'assets.csv:3 5 cells are expected as in the heading, 2 are there',
    ],
    [
      'a cell that is no number',
      withFile('asset-signals.csv', 'asset,name,version\npump-1,pressure,two\n'),
      'asset-signals.csv:2 signal "pump-1/pressure": version: expected number, it is "two"',
    ],
    [
      'a CSV file that no section has the name of',
      withFile('machines.csv', 'id\nx\n'),
      'machines.csv:1 expected the name of a section before ".csv": enterprise, places, connections, hierarchies, hierarchy-nodes, models, model-signals, assets, asset-signals',
    ],
  ])('%s', (_, files, problem) => expect(problemsOf(files)).toEqual([problem]));

  it('a text that is no YAML, at the line where it breaks', () => {
    const [problem = ''] = problemsOf(edited('  - {id: hall-1,', '  - {id: hall-1'));
    expect(problem).toMatch(/^plant\.yaml:6 not YAML: /);
  });

  it('a text that unfolds to very much', () => {
    const bomb = ['a0: &a0 [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++)
      bomb.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    expect(problemsOf(withFile('bomb.yaml', `${bomb.join('\n')}\n`))).toEqual([
      expect.stringMatching(/^bomb\.yaml:1 not YAML that can be read: Excessive alias count/),
    ]);
  });
});

it('names all mistakes in one run, in the order of files and lines', () => {
  const files = edited(
    'level: area, within: plant-a',
    'level: area',
    edited('unit: bar', 'unit: bars', edited('S-2,plc-1', 'S-2,plc-9')),
  );
  expect(problemsOf(files).map((p) => p.slice(0, p.indexOf(' ')))).toEqual([
    'assets.csv:3',
    'models.yaml:9',
    'plant.yaml:6',
  ]);
  expect(readPlant(files).plant).toBeNull();
});

it('says what follows from another mistake only once', () => {
  // The model is wrong, not missing: its assets name it rightly. The file is unreadable: nothing in it is missed.
  expect(problemsOf(edited('owner: maintenance', 'owner: ""'))).toHaveLength(1);
  expect(problemsOf(edited('models:\n', 'models: [\n'))).toEqual([expect.stringContaining('models.yaml')]);
});

it('takes the anchors of YAML', () => {
  const files = edited(
    'sampling: {mode: exception, maxSilenceSeconds: 60}',
    'sampling: *often',
    edited('sampling: {mode: periodic', 'sampling: &often {mode: periodic'),
  );
  expect(problemsOf(files)).toEqual([]);
});

describe('whatever a person does to the files', () => {
  const TEXTS = [PLANT_YAML, MODELS_YAML, ASSETS_CSV, 'asset,name,unit,engineeringRange\npump-1,pressure,kPa,0..900\n'];
  const PATHS = ['plant.yaml', 'models.yaml', 'assets.csv', 'asset-signals.csv'];
  const edit = fc.record({
    file: fc.nat(PATHS.length - 1),
    at: fc.nat(2000),
    cut: fc.nat(30),
    put: fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom(
        '\n',
        '  ',
        '- ',
        ': ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        ',',
        '&a ',
        '*a',
        '#',
        '\r\n',
        '\t',
        '..',
        '?',
        '|',
        '__proto__: 1\n',
        'null',
        '!!int ',
      ),
      fc.constantFrom('unit', 'pump-1', 'within: cell-1', 'id: pump', 'constructor', '1e999', '-0', '°C'),
    ),
  });

  it('reading never throws, and every problem has a file and a line that is in it', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        const files = PATHS.map((path, i) => {
          let text = TEXTS[i] as string;
          for (const { at, cut, put } of edits.filter((e) => e.file === i)) {
            const place = at % (text.length + 1);
            text = text.slice(0, place) + put + text.slice(place + cut);
          }
          return { path, text };
        });
        const { plant, problems } = readPlant(files);
        expect(plant === null).toBe(problems.length > 0);
        for (const { file, line, message } of problems) {
          const text = files.find((f) => f.path === file)?.text ?? '';
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(text.split('\n').length);
          expect(message.length).toBeGreaterThan(5);
        }
      }),
      { numRuns: 600 },
    );
  });
});

it('looks for what was meant by the first 200 wrong names, so that a wrong file is read as fast as a right one', () => {
  const rows = Array.from({ length: 300 }, (_, i) => `pump-${i + 10},pump,cell-1${i.toString(36).padStart(2, '0')}\n`);
  const problems = problemsOf(withFile('assets.more.csv', `id,model,at\n${rows.join('')}`));
  expect(problems).toHaveLength(300);
  expect(problems.filter((p) => p.includes('; did you mean '))).toHaveLength(200);
  expect(problems.filter((p) => p.endsWith('add it, or mend the name'))).toHaveLength(100);
});
