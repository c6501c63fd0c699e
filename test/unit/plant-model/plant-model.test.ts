import type { PlantModel } from '#core/contracts/plant-model.ts';
import type { UseCase } from '#core/contracts/use-case.ts';
import { comparePlants } from '#core/plant-model/compare.ts';
import { hierarchyPath, placePath } from '#core/plant-model/places.ts';
import type { PlantFile } from '#core/plant-model/problem.ts';
import { readPlant } from '#core/plant-model/read-plant.ts';
import { signalsOf } from '#core/plant-model/signals-of.ts';
import { edited, FILES } from './a-plant.ts';

const plantOf = (files: readonly PlantFile[]): PlantModel => {
  const { plant, problems } = readPlant(files);
  if (plant === null) throw new Error(JSON.stringify(problems));
  return plant;
};
const PLANT = plantOf(FILES);
const signalsIn = (plant: PlantModel) =>
  plant.assets.flatMap((a) => plant.models.filter((m) => m.id === a.model).flatMap((m) => signalsOf(m, a)));
const withSignals = (text: string, files = FILES) => [...files, { path: 'asset-signals.csv', text }];

describe('a signal of an asset', () => {
  it('is that of its model, with the address of the asset, the common code of its unit and the owner of the model', () => {
    expect(signalsIn(PLANT)).toHaveLength(4);
    expect(signalsIn(PLANT)[0]).toMatchObject({
      asset: 'pump-1',
      name: 'pressure',
      unit: 'bar',
      rec20: 'BAR',
      owner: 'maintenance',
      connection: 'plc-1',
      address: 'ns=2;s=pump-1.p',
    });
  });

  it('has what the asset says otherwise', () => {
    const plant = plantOf(
      withSignals(
        'asset,name,unit,engineeringRange,instrumentRange,owner,address\npump-1,pressure,kPa,0..1000,0..1600,me,DB7\n',
        edited('        unit: bar\n', '        unit: bar\n        rec20: BAR\n'),
      ),
    );
    expect(signalsIn(plant)[0]).toMatchObject({ unit: 'kPa', rec20: 'KPA', owner: 'me', address: 'DB7' });
    expect(signalsIn(plant)[2]).toMatchObject({ asset: 'pump-2', unit: 'bar', rec20: 'BAR' });
  });
});

describe('a path', () => {
  it('of a place leads from the enterprise to it', () =>
    expect(placePath(PLANT)('cell-1')).toBe('acme/plant-a/hall-1/line-1/cell-1'));

  it('of an asset in a hierarchy leads to its node; there is none where it is not in it', () => {
    const [energy] = PLANT.hierarchies;
    if (energy === undefined) throw new Error('no hierarchy');
    expect(hierarchyPath(energy, 'pump-1')).toBe('feeder-1/feeder-2');
    expect(hierarchyPath(energy, 'pump-2')).toBeUndefined();
  });
});

describe('a use case of the class of an asset model', () => {
  const useCase = (signals: UseCase['signals']) => [{ id: 'leaks', assetClass: 'pump', signals }];
  const pressure: UseCase['signals'][number] = { name: 'pressure', unit: 'bar', kind: 'scalar', range: [0, 20] };
  const found = (signals: UseCase['signals'], files: readonly PlantFile[] = FILES) =>
    readPlant(files, useCase(signals)).problems.map((p) => `${p.file}:${p.line} ${p.message}`);

  it('finds its signals', () => expect(found([pressure])).toEqual([]));

  it('finds them in a unit that is only spelt otherwise', () =>
    expect(found([{ ...pressure, unit: 'N.m-2' }], edited('unit: bar', 'unit: Pa'))).toEqual([]));

  it.each<[string, UseCase['signals'][number], string]>([
    [
      'lacks one',
      { ...pressure, name: 'flow', range: [0, 1] },
      'models.yaml:6 asset model "pump" lacks the signal "flow" for use case "leaks": add it',
    ],
    [
      'has one in another unit',
      { ...pressure, unit: 'kPa' },
      'models.yaml:9 signal "pump/pressure": unit: it is "bar", expected "kPa" for use case "leaks"',
    ],
    [
      'has one of another kind',
      { ...pressure, kind: 'waveform' },
      'models.yaml:8 signal "pump/pressure": dataType: it is a double, expected a waveform for use case "leaks"',
    ],
    [
      'has one whose normal values would be bad',
      { ...pressure, range: [0, 5] },
      'models.yaml:10 signal "pump/pressure": engineeringRange: 0 to 10 goes beyond 0 to 5, outside of which is BAD for use case "leaks"',
    ],
  ])('says when the model %s', (_, signal, problem) => expect(found([signal])).toEqual([problem]));

  it('says of a unit that is none only that', () =>
    expect(found([pressure], edited('unit: bar', 'unit: bars'))).toEqual([
      'models.yaml:9 signal "pump/pressure": unit: "bars" is no UCUM code that is known; did you mean "bar"?',
    ]));

  it('says when waveforms have another rate', () => {
    const files = edited('dataType: double', 'dataType: waveform\n        sampleRateHz: 1000\n        samples: 512');
    const wanted = { ...pressure, kind: 'waveform', sampleRateHz: 2000, samples: 512 } as const;
    expect(found([wanted], files)).toEqual([
      'models.yaml:9 signal "pump/pressure": sampleRateHz: it is 1000, expected 2000 for use case "leaks"',
    ]);
  });

  it('says when one asset has one in another unit', () =>
    expect(found([pressure], withSignals('asset,name,unit,engineeringRange\npump-2,pressure,kPa,0..15\n'))).toEqual([
      'asset-signals.csv:2 signal "pump-2/pressure": unit: it is "kPa", expected "bar" for use case "leaks"',
    ]));
});

describe('a plant that follows another', () => {
  it('differs in nothing from itself', () =>
    expect(comparePlants(PLANT, PLANT)).toEqual({ added: [], removed: [], changed: [], breaking: [] }));

  it('names what is added, removed and changed', () => {
    const after = plantOf(
      edited(
        'pump-2,pump,cell-1,S-2,plc-1',
        'pump-3,pump,cell-1,S-3,plc-1',
        edited('maintenance', 'operations', edited('[0, 16]', '[0, 20]')),
      ),
    );
    expect(comparePlants(PLANT, after)).toEqual({
      added: ['asset "pump-3"'],
      removed: ['asset "pump-2"'],
      changed: ['asset model "pump"', 'signal "pump/pressure"'],
      breaking: [],
    });
  });

  it.each([
    ['unit', edited('unit: bar', 'unit: MPa'), 'signal "pump/pressure" changes its unit from bar to MPa'],
    [
      'data type',
      edited('dataType: double', 'dataType: integer'),
      'signal "pump/pressure" changes its data type from double to integer',
    ],
    [
      'unit at one asset',
      withSignals('asset,name,unit\npump-2,pressure,MPa\n'),
      'signal "pump-2/pressure" changes its unit from bar to MPa',
    ],
  ])('breaks what reads a signal when its %s changes', (_, files, text) =>
    expect(comparePlants(PLANT, plantOf(files)).breaking).toEqual([text]),
  );

  it('breaks nothing where the version of the signal says so', () => {
    const after = plantOf(edited('unit: bar', 'unit: MPa\n        version: 2'));
    expect(comparePlants(PLANT, after).breaking).toEqual([]);
  });
});
