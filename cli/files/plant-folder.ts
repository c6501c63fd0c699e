import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import type { PlantFile } from '#core/plant-model/problem.ts';
import { CliError, EXIT } from '../errors.ts';

const OF_A_PLANT = /\.(ya?ml|json|csv)$/;

/** Names of the files of a plant in a folder, with slashes, sorted; of hidden folders and of `node_modules` none. */
const namesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && OF_A_PLANT.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((name) => !/(^|\/)(\.|node_modules\/)/.test(name))
    .sort();

/**
 * The files of a plant: those of a folder, or one file.
 * @throws {CliError} when there is no such folder or file, or no file of a plant in it.
 */
export const readPlantFiles = (path: string): readonly PlantFile[] => {
  const what = statSync(path, { throwIfNoEntry: false });
  if (what === undefined)
    throw new CliError(
      `there is no file or folder ${path}`,
      'give a folder with the files of a plant, or one such file: config/plant shows one',
      EXIT.notFound,
    );
  const folder = what.isDirectory() ? path : dirname(path);
  const names = what.isDirectory() ? namesIn(path) : [basename(path)];
  if (names.length === 0 || !names.every((name) => OF_A_PLANT.test(name)))
    throw new CliError(
      `${path} has no file of a plant`,
      'give a folder, or a file, of .yaml, .json or .csv: config/plant shows one',
      EXIT.usage,
    );
  return names.map((name) => ({ path: name, text: readFileSync(join(folder, name), 'utf8') }));
};

/**
 * Writes the files of a plant into a folder, over those of the same names.
 * @throws {CliError} when the folder has other files of a plant: together with these they would be one plant.
 */
export const writePlantFiles = (folder: string, files: readonly PlantFile[]): void => {
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new CliError(`${folder} is no folder`, 'name another with --out', EXIT.usage);
  const others = existsSync(folder) ? namesIn(folder).filter((name) => !files.some((f) => f.path === name)) : [];
  if (others.length > 0)
    throw new CliError(
      `${folder} has files of a plant that are not of this one: ${others.slice(0, 5).join(', ')}`,
      'remove them, or name another folder with --out',
      EXIT.usage,
    );
  for (const { path, text } of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
};
