import { type Command, Option } from 'commander';
import { checkPlant, exportPlant, importPlant, showAsset } from '../commands/plant.ts';
import { loadUseCases } from '../commands/publish.ts';
import { publishPlant } from '../commands/publish-plant.ts';
import type { Act, Add, Here } from './parts.ts';

/** `millwright plant`: the plant model, kept in files. */
export const addPlant = (program: Command, add: Add, act: Act, here: Here, root: string): void => {
  const plant = add(
    program,
    'plant',
    'What is where in the plant and what it measures: files that people edit.',
    'millwright plant check config/plant',
    'millwright plant show config/plant spindle-101',
  );
  add(
    plant,
    'check <dir>',
    'Names every mistake with its file and line; needs no platform.',
    'millwright plant check config/plant',
  ).action(here<[string, object]>(async (out, dir) => checkPlant(out, dir, await loadUseCases(root))));
  add(
    plant,
    'show <dir> <asset>',
    'One asset: where it is, in which hierarchies, its signals with units and addresses.',
    'millwright plant show config/plant spindle-101',
  ).action(here<[string, string, object]>((out, dir, asset) => showAsset(out, dir, asset)));
  add(
    plant,
    'export <dir>',
    'The plant as CSV files or as one JSON document.',
    'millwright plant export config/plant --format csv --out ./tables',
    'millwright plant export config/plant --format json > plant.json',
  )
    .addOption(new Option('--format <format>', 'format').choices(['csv', 'json']).makeOptionMandatory())
    .option('--out <path>', 'folder for CSV; file for JSON, default: standard output')
    .action(
      here<[string, { format: 'csv' | 'json'; out?: string }]>((out, dir, o) =>
        exportPlant(out, dir, { format: o.format, to: o.out }),
      ),
    );
  add(
    plant,
    'import <from>',
    'Files of a plant from CSV files or a JSON document.',
    'millwright plant import plant.json --out config/plant',
  )
    .requiredOption('--out <dir>', 'folder of the plant: its files are written over')
    .action(here<[string, { out: string }]>((out, from, o) => importPlant(out, from, o.out)));
  add(
    plant,
    'publish <dir>',
    'Makes it the plant model in force at the site, by its digest.',
    'millwright plant publish config/plant',
  ).action(act<[string, object]>(async (world, out, dir) => publishPlant(world, out, dir, await loadUseCases(root))));
};
