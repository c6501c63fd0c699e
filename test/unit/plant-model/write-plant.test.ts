import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { PlantModel } from '#core/contracts/plant-model.ts';
import { canonicalJson } from '#core/lineage/canonical-json.ts';
import { countsOf } from '#core/plant-model/canonical.ts';
import { readPlant } from '#core/plant-model/read-plant.ts';
import { plantCsvFiles, plantFiles, plantJson } from '#core/plant-model/write-plant.ts';
import { FILES } from './a-plant.ts';
import { arbitraryPlant } from './arbitrary-plant.ts';

const FORMATS = [
  ['files that people edit', plantFiles],
  ['CSV files', plantCsvFiles],
  ['one JSON document', (plant: PlantModel) => [{ path: 'plant.json', text: plantJson(plant) }]],
] as const;

describe.each(FORMATS)('a plant as %s', (_, write) => {
  it('is read as the same plant', () => {
    fc.assert(
      fc.property(arbitraryPlant, (plant) => {
        const back = readPlant(write(plant));
        expect(back.problems).toEqual([]);
        expect(canonicalJson(back.plant)).toBe(canonicalJson(plant));
      }),
      { numRuns: 150 },
    );
  });

  it('is the same text again, so that a diff shows only what changed', () => {
    fc.assert(
      fc.property(arbitraryPlant, (plant) => {
        const files = write(plant);
        expect(write(readPlant(files).plant as PlantModel)).toEqual(files);
      }),
      { numRuns: 50 },
    );
  });
});

it('one more asset is one more line', () => {
  const plant = readPlant(FILES).plant as PlantModel;
  const more = readPlant([...FILES, { path: 'assets.new.csv', text: 'id,model,at\npump-3,pump,cell-1\n' }]).plant;
  const [before, after] = [plantFiles(plant), plantFiles(more as PlantModel)];
  const lines = (files: typeof before) => files.flatMap((f) => f.text.split('\n').map((line) => `${f.path} ${line}`));
  expect(lines(after).filter((line) => !lines(before).includes(line))).toEqual(['assets.csv pump-3,pump,cell-1,,']);
});

it('a document of the first version is still a plant', () => {
  const text = readFileSync(join(__dirname, 'fixtures/plant-model-1.json'), 'utf8');
  const { plant, problems } = readPlant([{ path: 'plant.json', text }]);
  expect(problems).toEqual([]);
  expect(plant).toEqual(PlantModel.parse(JSON.parse(text)));
  expect(countsOf(plant as PlantModel)).toEqual({
    places: 1,
    connections: 0,
    hierarchies: 0,
    models: 1,
    assets: 1,
    signals: 1,
  });
});
